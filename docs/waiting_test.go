package docs_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"example.com/streams/07-production/memory"
	"example.com/streams/internal/golden"
	"example.com/streams/internal/memserver/memservertest"
)

const (
	roundTrip  = 100 * time.Millisecond
	longestAsk = 30 * time.Second // of a long poll, without news
)

// A feed is a log whose lines have no text: line n was written at
// written[n-1]. The answers of its service are the number of the newest line.
type feed struct {
	mu      sync.Mutex
	written []time.Time
	grown   chan struct{} // closed and replaced when a line is written
	calls   int
}

// write writes lines at random times, a line a second on average.
func (f *feed) write(ctx context.Context) {
	random := rand.New(rand.NewPCG(1, 2))
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(random.ExpFloat64() * float64(time.Second))):
		}
		f.mu.Lock()
		f.written = append(f.written, time.Now())
		close(f.grown)
		f.grown = make(chan struct{})
		f.mu.Unlock()
	}
}

func (f *feed) newest() (newest uint64, grown <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return uint64(len(f.written)), f.grown
}

// after waits at most this long for a line after the given one.
func (f *feed) after(ctx context.Context, line uint64, limit time.Duration) *wrapperspb.UInt64Value {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		newest, grown := f.newest()
		if newest > line {
			return wrapperspb.UInt64(newest)
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return wrapperspb.UInt64(newest)
		}
	}
}

func (f *feed) register(s grpc.ServiceRegistrar) {
	unary := func(name string, limit time.Duration) grpc.MethodDesc {
		return grpc.MethodDesc{MethodName: name, Handler: func(
			_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor,
		) (any, error) {
			f.calls++
			line := new(wrapperspb.UInt64Value)
			if err := decode(line); err != nil {
				return nil, err
			}
			return f.after(ctx, line.GetValue(), limit), nil
		}}
	}
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "docs.Feed",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{unary("Now", 0), unary("Next", longestAsk)},
		Streams: []grpc.StreamDesc{{StreamName: "Follow", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			f.calls++
			line := new(wrapperspb.UInt64Value)
			if err := s.RecvMsg(line); err != nil {
				return err
			}
			for s.Context().Err() == nil {
				line = f.after(s.Context(), line.GetValue(), 24*time.Hour)
				if err := s.SendMsg(line); err != nil {
					return err
				}
			}
			return s.Context().Err()
		}}},
	}, f)
}

// poll asks now, and again after each interval.
func poll(ctx context.Context, conn *grpc.ClientConn, seen func(newest uint64)) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		line := new(wrapperspb.UInt64Value)
		if conn.Invoke(ctx, "/docs.Feed/Now", line, line) != nil {
			return
		}
		seen(line.GetValue())
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// longPoll asks for what comes next, and again after each answer.
func longPoll(ctx context.Context, conn *grpc.ClientConn, seen func(newest uint64)) {
	line := new(wrapperspb.UInt64Value)
	for conn.Invoke(ctx, "/docs.Feed/Next", line, line) == nil {
		seen(line.GetValue())
	}
}

// follow asks once.
func follow(ctx context.Context, conn *grpc.ClientConn, seen func(newest uint64)) {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/docs.Feed/Follow")
	if err != nil || stream.SendMsg(new(wrapperspb.UInt64Value)) != nil || stream.CloseSend() != nil {
		return
	}
	for line := new(wrapperspb.UInt64Value); stream.RecvMsg(line) == nil; {
		seen(line.GetValue())
	}
}

// Three clients wait for the same lines for an hour, over a network with a
// round trip of 100 ms.
func TestWaiting_ByPollLongPollAndStream(t *testing.T) {
	table := new(strings.Builder)
	fmt.Fprintln(table, "| The client | Calls | A line arrives after, on average | at most | Calls in a quiet hour |\n|---|---|---|---|---|")
	for _, way := range []struct {
		name string
		wait func(ctx context.Context, conn *grpc.ClientConn, seen func(newest uint64))
	}{
		{"polls each second", poll},
		{"long-polls", longPoll},
		{"follows a stream", follow},
	} {
		calls, mean, most := waitForAnHour(t, way.wait, true)
		quiet, _, _ := waitForAnHour(t, way.wait, false)
		fmt.Fprintf(table, "| %s | %d | %v | %v | %d |\n", way.name, calls, mean, most, quiet)
	}
	golden.Section(t, "choosing.md", "waiting", table.String())
}

// waitForAnHour returns the number of calls, and how long after it was
// written a line arrives.
func waitForAnHour(
	t *testing.T, wait func(context.Context, *grpc.ClientConn, func(uint64)), busy bool,
) (calls int, mean, most time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		log := &feed{grown: make(chan struct{})}
		server := memservertest.Serve(t, log.register)
		conn := server.Dial(t, grpc.WithContextDialer(memory.Link(server.DialContext, roundTrip)))
		conn.Connect()
		time.Sleep(time.Minute - time.Millisecond) // until it is connected, and not in step with a call
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour-time.Millisecond)
		defer cancel()
		if busy {
			go log.write(ctx)
		}
		var ages []time.Duration
		wait(ctx, conn, func(newest uint64) {
			log.mu.Lock()
			defer log.mu.Unlock()
			for _, written := range log.written[len(ages):max(int(newest), len(ages))] {
				ages = append(ages, time.Since(written))
			}
		})
		synctest.Wait()
		calls = log.calls
		for _, age := range ages {
			mean += age / time.Duration(len(ages))
			most = max(most, age)
		}
		if busy {
			require.InEpsilon(t, 3600, len(ages), 0.05, "lines in an hour")
		}
	})
	return calls, mean.Round(time.Millisecond), most.Round(time.Millisecond)
}
