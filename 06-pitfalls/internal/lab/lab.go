// Package lab has what the tests of the pitfalls share: a client, a call
// that may hang, and a process that may die.
package lab

import (
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet"
)

// Dial serves s in memory until the test ends and returns a client of it.
func Dial(t testing.TB, s *service.Server) pitfallsv1.PitfallServiceClient {
	t.Helper()
	return pitfallsv1.NewPitfallServiceClient(bufnet.Dial(t, Register(s)))
}

// Register returns what adds s to a server, for bufnet.Serve.
func Register(s *service.Server) func(grpc.ServiceRegistrar) {
	return func(r grpc.ServiceRegistrar) { pitfallsv1.RegisterPitfallServiceServer(r, s) }
}

// OpenStreams waits until nothing moves, then asks the server how many
// handlers of streams have not returned. Call it inside a bubble.
func OpenStreams(t testing.TB, c pitfallsv1.PitfallServiceClient) int {
	t.Helper()
	synctest.Wait()
	pong, err := c.Ping(t.Context(), &pitfallsv1.PingRequest{})
	if err != nil {
		t.Fatalf("Ping: %v", err)
	}
	return int(pong.GetOpenStreams())
}

// A Call is a function that runs in a goroutine of its own.
type Call struct{ done chan error }

// Go calls f, which may hang. See to it that f ends when t.Context() does:
// a bubble cannot be left while f runs.
func Go(f func() error) *Call {
	c := &Call{make(chan error, 1)}
	go func() { c.done <- f() }()
	return c
}

// StillRuns lets d pass and fails the test if the call ended meanwhile.
// Call it inside a bubble.
func (c *Call) StillRuns(t testing.TB, d time.Duration) {
	t.Helper()
	time.Sleep(d)
	synctest.Wait()
	select {
	case err := <-c.done:
		t.Fatalf("the call ended within %v: got error %v, want none yet", d, err)
	default:
	}
}

// EndsWithin returns the error of the call, and fails the test if the call
// takes longer than d. A nanosecond means at once, in a bubble.
func (c *Call) EndsWithin(t testing.TB, d time.Duration) error {
	t.Helper()
	select {
	case err := <-c.done:
		return err
	case <-time.After(d):
		t.Fatalf("the call still runs after %v", d)
		return nil
	}
}

// Err waits for the call to end and returns its error.
func (c *Call) Err() error { return <-c.done }
