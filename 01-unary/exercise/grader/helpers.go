package grader

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/01-unary/exercise/journal"
	journalv1 "example.com/streams/01-unary/exercise/journal/v1"
	"example.com/streams/internal/grade"
)

// A stub is a JournalService that does what the proto says, unless OnCall
// returns an error.
type stub struct {
	journalv1.UnimplementedJournalServiceServer
	OnCall func(ctx context.Context, call int) error // counts from 0; may be nil

	t       *grade.T
	journal *journal.Journal

	mu    sync.Mutex
	times []time.Time // of the calls
}

// stubLines is how many lines a stub has at first: more than two pages.
const stubLines = 250

func newStub(t *grade.T) *stub {
	s := &stub{t: t, journal: journal.New(10*stubLines, 0)}
	write(t, s.journal, stubLines)
	return s
}

func (s *stub) GetPage(ctx context.Context, req *journalv1.PageRequest) (*journalv1.Page, error) {
	call := s.note()
	if s.OnCall != nil {
		if err := s.OnCall(ctx, call); err != nil {
			return nil, err
		}
	}
	if limit := req.GetLimit(); limit < 1 || limit > 100 {
		return nil, status.Errorf(codes.InvalidArgument, "limit: must be from 1 to 100, got %d", limit)
	}
	_, newest := s.journal.Range()
	if after := req.GetAfter(); after > newest {
		return nil, status.Errorf(codes.OutOfRange, "after: %d is ahead of the newest line, which is %d", after, newest)
	}
	page := &journalv1.Page{Next: min(newest, req.GetAfter()+uint64(req.GetLimit()))}
	page.More = page.Next < newest
	for _, sequence := range sequences(req.GetAfter(), page.Next) {
		text, _ := s.journal.Line(sequence)
		page.Lines = append(page.Lines, &journalv1.Line{Sequence: sequence, Text: text})
	}
	return page, nil
}

// note counts a call, and ends a Follow that never waits.
func (s *stub) note() (call int) {
	const most = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = append(s.times, time.Now())
	if n := len(s.times); n > most && s.times[n-1].Equal(s.times[n-1-most]) {
		s.t.Wrong("Follow", "a thousand calls of GetPage without a wait",
			"a wait when there is nothing more, and after Unavailable")
	}
	return len(s.times) - 1
}

func (s *stub) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.times)
}

// waits returns the time from each call to the next one.
func (s *stub) waits() (all []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, at := range s.times[1:] {
		all = append(all, at.Sub(s.times[i]))
	}
	return all
}

// A follower is a loop over Follow in a goroutine of its own. Its methods may
// be called concurrently.
type follower struct {
	mu    sync.Mutex
	lines []*journalv1.Line
	errs  []error
	texts []string // of errs
	ended bool
}

// start begins a loop. It breaks when goOn returns false for the number of
// lines so far, and goes on after an error, until the check ends.
func start(t *grade.T, seq iter.Seq2[*journalv1.Line, error], goOn func(n int) bool) *follower {
	f := &follower{}
	go func() {
		seq(func(line *journalv1.Line, err error) bool {
			lines, errs := f.add(line, err)
			if err == nil {
				return goOn(lines)
			}
			if errs == 1000 {
				t.Wrong("Follow", fmt.Sprintf("a thousand errors; the last one is %v", err), "a return after the first error")
			}
			return t.Context().Err() == nil
		})
		f.mu.Lock()
		f.ended = true
		f.mu.Unlock()
	}()
	return f
}

// add notes an element, and returns how many there are of each kind.
func (f *follower) add(line *journalv1.Line, err error) (lines, errs int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.lines = append(f.lines, line)
	} else {
		s := status.Convert(err)
		f.errs = append(f.errs, err)
		f.texts = append(f.texts, fmt.Sprintf("after %d lines: %v: %s", len(f.lines), s.Code(), s.Message()))
	}
	return len(f.lines), len(f.errs)
}

func (f *follower) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := strings.Join(append([]string{linesText(sequencesOf(f.lines))}, f.texts...), "\n")
	if f.ended {
		text += "\nand a return"
	}
	return text
}

// requireTexts requires that the lines have the texts of a journal.
func (f *follower) requireTexts(t *grade.T, j *journal.Journal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, line := range f.lines {
		text, _ := j.Line(line.GetSequence())
		t.Equal(fmt.Sprintf("Follow: the text of line %d", line.GetSequence()), text, line.GetText())
	}
}

// requireReturn requires that Follow has returned.
func (f *follower) requireReturn(t *grade.T, call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		t.Wrong(call, "it goes on", "a return")
	}
}

// requireError requires that Follow has returned, after an error of the code
// want.
func (f *follower) requireError(t *grade.T, call string, want codes.Code) {
	text := f.String()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.ended:
		t.Wrong(call, text+"\nno return", fmt.Sprintf("%v, and a return", want))
	case len(f.errs) == 0:
		t.Wrong(call, "it ends without an error", want)
	}
	t.Code(call, want, f.errs[len(f.errs)-1])
}

// draw returns a journal with more than a hundred lines, which has dropped
// others, and the range of its lines.
func draw(t *grade.T, delay time.Duration) (j *journal.Journal, oldest, newest uint64) {
	keep, dropped := 101+t.Rand.IntN(50), 2+t.Rand.IntN(50)
	j = journal.New(keep, delay)
	write(t, j, keep+dropped)
	oldest, newest = j.Range()
	return j, oldest, newest
}

// write appends n random lines.
func write(t *grade.T, j *journal.Journal, n int) {
	for range n {
		j.Append(fmt.Sprintf("GET /cart/%d 200", t.Rand.IntN(1e6)))
	}
}

// names requires words in the message of an error.
func names(t *grade.T, call string, err error, example string, words ...string) {
	s := status.Convert(err).Message()
	for _, word := range words {
		if !strings.Contains(s, word) {
			t.Wrong(call+": the message", fmt.Sprintf("%q", s), fmt.Sprintf("one with %q, such as %q", word, example))
		}
	}
}

func text(req *journalv1.PageRequest) string {
	return fmt.Sprintf("GetPage(after: %d, limit: %d)", req.GetAfter(), req.GetLimit())
}

func pageText(p *journalv1.Page) string {
	return fmt.Sprintf("%s; next: %d; more: %v", linesText(sequencesOf(p.GetLines())), p.GetNext(), p.GetMore())
}

func sequencesOf(lines []*journalv1.Line) (all []uint64) {
	for _, line := range lines {
		all = append(all, line.GetSequence())
	}
	return all
}

// linesText joins the sequences that follow each other: "lines 3 to 7, 3 to 5".
func linesText(sequences []uint64) string {
	if len(sequences) == 0 {
		return "no lines"
	}
	var runs []string
	for i := 0; i < len(sequences); {
		end := i + 1
		for end < len(sequences) && sequences[end] == sequences[end-1]+1 {
			end++
		}
		run := fmt.Sprint(sequences[i])
		if end > i+1 {
			run = fmt.Sprintf("%d to %d", sequences[i], sequences[end-1])
		}
		runs = append(runs, run)
		i = end
	}
	return "lines " + strings.Join(runs, ", ")
}

func dial(t *grade.T, srv journalv1.JournalServiceServer) journalv1.JournalServiceClient {
	return journalv1.NewJournalServiceClient(t.Serve(func(s grpc.ServiceRegistrar) {
		journalv1.RegisterJournalServiceServer(s, srv)
	}))
}

// A contextEnd is context.WithTimeout or cancelAfter.
type contextEnd = func(context.Context, time.Duration) (context.Context, context.CancelFunc)

// cancelAfter returns a context that is canceled after d.
func cancelAfter(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	time.AfterFunc(d, cancel)
	return ctx, cancel
}

func always(int) bool { return true }

func drawAfter(t *grade.T) uint64 { return 1 + t.Rand.Uint64N(30) }

func drawInterval(t *grade.T) time.Duration { return time.Duration(2+t.Rand.IntN(30)) * time.Second }

func followText(after uint64, interval time.Duration) string {
	return fmt.Sprintf("Follow(after: %d, interval: %v)", after, interval)
}

func sequences(after, newest uint64) (all []uint64) {
	for after < newest {
		after++
		all = append(all, after)
	}
	return all
}
