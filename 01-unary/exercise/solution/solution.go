// Package solution solves the exercise; the comments say why it is so.
package solution

import (
	"context"
	"iter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/01-unary/exercise/journal"
	journalv1 "example.com/streams/01-unary/exercise/journal/v1"
)

// MaxLimit is the largest number of lines that a page may have.
const MaxLimit = 100

// Server implements JournalService.
type Server struct {
	journalv1.UnimplementedJournalServiceServer

	// Journal holds the lines. Other goroutines append to it.
	Journal *journal.Journal
}

// GetPage returns the lines that follow a position. See the proto for its
// codes.
func (s *Server) GetPage(ctx context.Context, req *journalv1.PageRequest) (*journalv1.Page, error) {
	after, limit := req.GetAfter(), int(req.GetLimit())
	if limit < 1 || limit > MaxLimit { // a limit that is not set is 0
		return nil, status.Errorf(codes.InvalidArgument, "limit: must be from 1 to %d, got %d", MaxLimit, limit)
	}
	// One look at the newest line, so that lines that arrive while the
	// handler reads do not change what this page is about.
	_, newest := s.Journal.Range()
	if after > newest {
		return nil, status.Errorf(codes.OutOfRange, "after: %d is ahead of the newest line, which is %d", after, newest)
	}
	page := &journalv1.Page{Next: after}
	for page.Next < newest && len(page.Lines) < limit {
		// Reading takes time, and nothing else ends this loop early for a
		// client that has left.
		if err := ctx.Err(); err != nil {
			return nil, status.FromContextError(err).Err()
		}
		// The journal may drop a line at any time, so only the read itself
		// knows whether the line is still there.
		text, ok := s.Journal.Line(page.Next + 1)
		if !ok {
			oldest, _ := s.Journal.Range()
			return nil, status.Errorf(codes.OutOfRange, "after: %d is no longer held; the oldest line is %d", after, oldest)
		}
		page.Next++
		page.Lines = append(page.Lines, &journalv1.Line{Sequence: page.Next, Text: text})
	}
	// A full page does not mean that there is more: it may end at the newest.
	page.More = page.Next < newest
	return page, nil
}

// Follow returns an iterator over the lines that follow the position after.
// It asks for pages until there is nothing more, and again after each
// interval. The last element is an error, unless the caller breaks.
func Follow(
	ctx context.Context, c journalv1.JournalServiceClient, after uint64, interval time.Duration,
) iter.Seq2[*journalv1.Line, error] {
	return func(yield func(*journalv1.Line, error) bool) {
		next := after // a second loop over the iterator begins at after again
		for {
			page, err := c.GetPage(ctx, &journalv1.PageRequest{After: next, Limit: MaxLimit})
			switch {
			case err == nil:
				next = page.GetNext() // only here: after an error, page is nil, and its next is 0
			case status.Code(err) != codes.Unavailable:
				yield(nil, err) // also the end of ctx during the call
				return
			}
			for _, line := range page.GetLines() {
				if !yield(line, nil) {
					return // yield must not be called again
				}
			}
			if page.GetMore() {
				continue
			}
			select { // time.Sleep would not notice the end of ctx
			case <-ctx.Done():
				yield(nil, status.FromContextError(ctx.Err()).Err())
				return
			case <-time.After(interval):
			}
		}
	}
}
