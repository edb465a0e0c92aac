// Package pitfalltest has what the tests of the pitfalls share: an
// in-process server, a call that may hang, a process that may crash, and the
// survival lists.
package pitfalltest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/testproc"
)

// Dial serves s in memory until the test ends, and returns a client of it.
func Dial(t testing.TB, s *service.Server, opts ...grpc.DialOption) pitfallsv1.PitfallServiceClient {
	t.Helper()
	return pitfallsv1.NewPitfallServiceClient(Serve(t, s).Dial(t, opts...))
}

// Serve serves s in memory until the test ends.
func Serve(t testing.TB, s *service.Server, opts ...grpc.ServerOption) memservertest.Server {
	t.Helper()
	return memservertest.Serve(t, s.Register, opts...)
}

// WithTimeout returns the context of the test with a timeout, so that a call
// that hangs fails the test.
func WithTimeout(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// Sum sends the values and returns the server's response.
func Sum(t testing.TB, c pitfallsv1.PitfallServiceClient, values ...int64) (*pitfallsv1.SumResponse, error) {
	t.Helper()
	return sum(t.Context(), c, values...)
}

func sum(
	ctx context.Context, c pitfallsv1.PitfallServiceClient, values ...int64,
) (*pitfallsv1.SumResponse, error) {
	stream, err := c.Sum(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := stream.Send(&pitfallsv1.Number{Value: v}); err != nil {
			break // CloseAndRecv returns the status
		}
	}
	return stream.CloseAndRecv()
}

// OpenStreams waits until all other goroutines of the bubble are blocked, and
// returns how many handlers of streams have not returned.
func OpenStreams(t testing.TB, c pitfallsv1.PitfallServiceClient) int {
	t.Helper()
	synctest.Wait()
	response, err := c.Ping(t.Context(), &pitfallsv1.PingRequest{})
	require.NoError(t, err)
	return int(response.GetOpenStreams())
}

// A Call is a function that runs in a goroutine of its own. Only one
// goroutine may call its methods.
type Call struct{ done chan error }

// Go calls f, which may hang. f must return when the context of the test is
// done, because a bubble does not end before all its goroutines have ended.
func Go(f func() error) *Call {
	c := &Call{make(chan error, 1)}
	go func() { c.done <- f() }()
	return c
}

// StillRuns lets the time d pass, and fails the test if the call ended
// meanwhile. Call it in a bubble.
func (c *Call) StillRuns(t testing.TB, d time.Duration) {
	t.Helper()
	time.Sleep(d)
	synctest.Wait()
	select {
	case err := <-c.done:
		require.Fail(t, "the call has ended", "got error %v within %v, want a call that still runs", err, d)
	default:
	}
}

// EndsWithin returns the error of the call, and fails the test if the call
// takes longer than d. In a bubble, a nanosecond means at once.
func (c *Call) EndsWithin(t testing.TB, d time.Duration) error {
	t.Helper()
	select {
	case err := <-c.done:
		return err
	case <-time.After(d):
		require.Fail(t, "the call has not ended", "it still runs after %v", d)
		return nil
	}
}

// Err waits until the call ends, and returns its error.
func (c *Call) Err() error { return <-c.done }

// Process runs f in another process, which f may crash, and returns what that
// process printed. See [testproc.Self] for where to call Process. The race
// detector reports nothing there; see [RaceReport].
func Process(t *testing.T, f func()) string {
	t.Helper()
	return process(t, f, "report_bugs=0")
}

// RaceReport runs f in another process, which ends with its first race, and
// returns what that process printed. With a race, that has "WARNING: DATA RACE"
// and two stacks. In a test binary that was built without -race, RaceReport
// skips the test.
func RaceReport(t *testing.T, f func()) string {
	t.Helper()
	if !raceEnabled {
		t.Skipf("only the race detector sees this: go test -race -run %s", t.Name())
	}
	return process(t, f, "halt_on_error=1")
}

// SkipUnderRace skips a test of what rarely happens while the race detector
// slows the code down.
func SkipUnderRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("too rare with -race")
	}
}

func process(t *testing.T, f func(), race string) string {
	t.Helper()
	_, stdout, stderr := testproc.Self(t, func() int { f(); return 0 }, nil, "GORACE=atexit_sleep_ms=0 "+race).Wait()
	return stdout + stderr
}
