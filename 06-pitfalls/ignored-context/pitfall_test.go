package ignoredcontext

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestBroken_FollowWaitsADayAfterItsClientLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		updates := make(chan int64)
		defer close(updates)
		handler := visit(t, func(stream numbers) error { return BrokenFollow(stream, updates) })
		handler.StillRuns(t, 24*time.Hour)
	})
}

func TestFixed_FollowEndsWhenItsClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		updates := make(chan int64)
		defer close(updates)
		handler := visit(t, func(stream numbers) error { return FixedFollow(stream, updates) })
		require.ErrorIs(t, handler.EndsWithin(t, time.Nanosecond), context.Canceled)
	})
}

func TestBroken_FollowEndsAtTheNextUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		updates := everyMinute(1)
		handler := visit(t, func(stream numbers) error { return BrokenFollow(stream, updates) })
		handler.StillRuns(t, 57*time.Second)
		err := handler.EndsWithin(t, time.Second)
		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
	})
}

func TestBroken_FollowKeepsAHandlerPerClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		updates := make(chan int64)
		defer close(updates)
		client := pitfalltest.Dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream numbers) error {
			return BrokenFollow(stream, updates)
		}})
		for range 3 {
			ctx, leave := context.WithCancel(t.Context())
			_, err := client.Count(ctx, &pitfallsv1.CountRequest{})
			require.NoError(t, err)
			synctest.Wait()
			leave()
		}
		time.Sleep(24 * time.Hour)
		require.Equal(t, 3, pitfalltest.OpenStreams(t, client))
	})
}

func TestBroken_ExportSendsToNobodyForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := 0
		handler := visit(t, func(stream numbers) error {
			return BrokenExport(failures{stream, &refused}, rows(24*60*60))
		})
		handler.StillRuns(t, 24*time.Hour-time.Minute)
		require.NoError(t, handler.EndsWithin(t, time.Minute), "the handler ends after the last row")
		require.Equal(t, 24*60*60-2, refused)
	})
}

func TestFixed_ExportEndsAtTheFirstSendThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := 0
		handler := visit(t, func(stream numbers) error {
			return FixedExport(failures{stream, &refused}, rows(24*60*60))
		})
		err := handler.EndsWithin(t, time.Second)
		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
		require.Equal(t, 1, refused)
	})
}

// A message that the server itself refuses to send ends the stream, too.
func TestSend_ThatFailsHasEndedTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tooLarge = "rpc error: code = ResourceExhausted desc = trying to send message larger than max (13 vs. 10)"
		var sent, ended error
		server := pitfalltest.Serve(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream numbers) error {
			sent = stream.Send(&pitfallsv1.Number{Padding: make([]byte, 11)})
			ended = stream.Context().Err()
			return nil
		}}, grpc.MaxSendMsgSize(10))
		stream, err := pitfallsv1.NewPitfallServiceClient(server.Dial(t)).Count(t.Context(), &pitfallsv1.CountRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.EqualError(t, err, tooLarge)
		synctest.Wait()
		require.EqualError(t, sent, tooLarge)
		require.ErrorIs(t, ended, context.Canceled)
	})
}

func TestBroken_ReportReadsEveryPageForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := 0
		handler := visit(t, func(stream numbers) error { return BrokenReport(stream, 600, pages(&read)) })
		handler.StillRuns(t, 9*time.Minute)
		err := handler.EndsWithin(t, time.Minute)
		require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
		require.Equal(t, 600, read)
	})
}

func TestFixed_ReportEndsAfterTheCurrentPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read := 0
		handler := visit(t, func(stream numbers) error { return FixedReport(stream, 600, pages(&read)) })
		require.ErrorIs(t, handler.EndsWithin(t, time.Second), context.Canceled)
		require.Equal(t, 3, read, "the client leaves during the third page")
	})
}

type numbers = grpc.ServerStreamingServer[pitfallsv1.Number]

// visit calls the handler and cancels the call after 2.5 s. It returns the
// handler, which may still run.
func visit(t *testing.T, handler func(numbers) error) *pitfalltest.Call {
	t.Helper()
	returned := make(chan error, 1)
	client := pitfalltest.Dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream numbers) error {
		err := handler(stream)
		returned <- err
		return err
	}})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(2500*time.Millisecond, cancel)
	stream, err := client.Count(ctx, &pitfallsv1.CountRequest{})
	require.NoError(t, err)
	start := time.Now()
	_, err = service.Values(stream)
	require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
	require.Equal(t, 2500*time.Millisecond, time.Since(start), "the client itself does not wait")
	return pitfalltest.Go(func() error { return <-returned })
}

// everyMinute returns a channel with n updates, one per minute. The channel
// is closed a second after the last update.
func everyMinute(n int64) <-chan int64 {
	updates := make(chan int64, n)
	for i := range n {
		time.AfterFunc(time.Duration(i)*time.Minute+time.Minute, func() { updates <- i })
	}
	time.AfterFunc(time.Duration(n)*time.Minute+time.Second, func() { close(updates) })
	return updates
}

// rows returns n rows, one per second.
func rows(n int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := range n {
			time.Sleep(time.Second)
			if !yield(i) {
				return
			}
		}
	}
}

// failures counts the Sends that fail.
type failures struct {
	numbers
	n *int
}

func (f failures) Send(n *pitfallsv1.Number) error {
	err := f.numbers.Send(n)
	if err != nil {
		*f.n++
	}
	return err
}

// pages returns a function that reads a page in one second and adds 1 to
// read.
func pages(read *int) func(int64) int64 {
	return func(i int64) int64 {
		time.Sleep(time.Second)
		*read++
		return i
	}
}
