package memservertest

import (
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
)

// Limit is how long a test with a server may last. Without a limit, a call in a
// bubble that never ends would let virtual time run to the year 2262. There the call ends with a
// status that the test may mistake for the status that it expects.
const Limit = 3 * 24 * time.Hour

// A limit ends the calls of a test that lasts too long.
type limit struct {
	mu    sync.Mutex
	conns []*grpc.ClientConn
}

func (l *limit) add(conn *grpc.ClientConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, conn)
}

// exceeded fails the test and closes the connections, so that no client
// connects again.
func (l *limit) exceeded(t testing.TB) {
	t.Errorf("the test still runs at %s, which is longer than the limit of its server; "+
		"these calls are open:\n\n%s", time.Now().UTC().Format(time.DateTime), strings.Join(openCalls(), "\n\n"))
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.conns {
		_ = conn.Close() // fails only if the test has closed it
	}
}

// openCalls returns the stacks of the goroutines in this bubble that are in
// a call, on either side.
func openCalls() (stacks []string) {
	for _, stack := range Goroutines() {
		if strings.Contains(stack, "google.golang.org/grpc.(*Server).handleStream(") ||
			strings.Contains(stack, "google.golang.org/grpc.(*clientStream).") ||
			strings.Contains(stack, "google.golang.org/grpc.(*ClientConn).") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// Goroutines returns the stacks of the other goroutines in the bubble of the
// caller, without those of package synctest.
func Goroutines() []string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	all := strings.Split(strings.TrimSpace(string(buf)), "\n\n")
	caller := bubble(all[0]) // runtime.Stack begins with its caller
	var stacks []string
	for _, stack := range all[1:] {
		if bubble(stack) == caller && !strings.Contains(stack, "testing/synctest.Test(") &&
			!strings.Contains(stack, "testing/synctest.testingSynctestTest(") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// bubble returns the last part of "goroutine 7 [sleep, synctest bubble 2]:".
func bubble(stack string) string {
	header, _, _ := strings.Cut(stack, "\n")
	_, name, _ := strings.Cut(header, "synctest bubble ")
	return name
}
