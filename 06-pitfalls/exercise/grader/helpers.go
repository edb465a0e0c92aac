package grader

import (
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/grade"
)

func dial(t *grade.T, s *service.Server) (*service.Server, client) {
	return s, pitfallsv1.NewPitfallServiceClient(t.Serve(s.Register))
}

// someCodes returns three codes, at random, of those that neither grpc-go nor a
// context makes in these calls.
func someCodes(t *grade.T) []codes.Code {
	all := []codes.Code{
		codes.NotFound, codes.AlreadyExists, codes.PermissionDenied, codes.FailedPrecondition, codes.Aborted, codes.DataLoss,
	}
	t.Rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:3]
}

// returns calls f, which must return within a minute.
func returns(t *grade.T, call string, f func()) {
	done := make(chan struct{})
	go func() {
		f()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Wrong(call, "no return within a minute", "a return")
	}
}

// waiting is the first line of the stack of a goroutine that waits.
var waiting = regexp.MustCompile(`^goroutine \d+ .*\[(chan |select|sleep|sync\.|synctest\.|coroutine|IO wait|syscall)`)

// settle waits until all other goroutines wait. In contrast to synctest.Wait,
// settle lets a goroutine of the bubble wait for a mutex.
//
// It looks at all goroutines of the process, because a goroutine that helps
// the garbage collector is not in its bubble meanwhile.
func settle() {
	buf := make([]byte, 1<<20)
	for {
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")[1:] // without the caller
		if !slices.ContainsFunc(stacks, func(stack string) bool { return !waiting.MatchString(stack) }) {
			return
		}
		runtime.Gosched()
	}
}
