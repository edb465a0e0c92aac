package grader

import (
	"context"
	"fmt"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/grade"
	"example.com/streams/internal/memserver/memservertest"
)

// displays lets count fail with several codes.
func displays(t *grade.T, f Functions) {
	var n int64
	var failure error
	c := pitfallsv1.NewPitfallServiceClient(t.Serve(func(s grpc.ServiceRegistrar) {
		pitfallsv1.RegisterPitfallServiceServer(s, office{ping: func(ctx context.Context) (*pitfallsv1.PingResponse, error) {
			return f.Displays(ctx, func(context.Context) (int64, error) { return n, failure })
		}})
	}))
	for _, code := range someCodes(t) {
		n, failure = t.Rand.Int64N(1000), nil
		response, err := c.Ping(t.Context(), &pitfallsv1.PingRequest{})
		t.Code("Displays", codes.OK, err)
		t.Equal("Displays: open_streams in the response", n, response.GetOpenStreams())

		n, failure = 0, status.Error(code, "the grader refuses")
		_, err = c.Ping(t.Context(), &pitfallsv1.PingRequest{})
		t.Code(fmt.Sprintf("Displays, when count fails with %v", code), code, err)
	}
}

// office is a PitfallService whose Ping is ping.
type office struct {
	pitfallsv1.UnimplementedPitfallServiceServer
	ping func(context.Context) (*pitfallsv1.PingResponse, error)
}

func (o office) Ping(ctx context.Context, _ *pitfallsv1.PingRequest) (*pitfallsv1.PingResponse, error) {
	return o.ping(ctx)
}

// admit lets groups in at one gate, and cancels another call.
func admit(t *grade.T, f Functions) {
	var inside int64
	returned := make(chan error, 1)
	_, c := dial(t, &service.Server{OnEcho: func(stream groups) error {
		err := f.Admit(stream, func(size int64) int64 { inside += size; return inside })
		returned <- err
		return err
	}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, leaves := range []bool{false, true} {
		stream, err := c.Echo(ctx)
		t.Code("opening the stream", codes.OK, err)
		for range 1 + t.Rand.IntN(9) {
			size := 1 + t.Rand.Int64N(30)
			want := inside + size
			_ = stream.Send(&number{Value: size}) // Recv has the reason
			answer, err := stream.Recv()
			t.Code("Admit, with a group", codes.OK, err)
			t.Equal(fmt.Sprintf("Admit, with a group of %d and %d visitors inside: the answer", size, want-size),
				want, answer.GetValue())
		}
		if leaves {
			cancel()
			synctest.Wait()
			fails(t, "Admit, after a cancel: its error", <-returned)
			return
		}
		_ = stream.CloseSend() // always nil
		more, err := service.Values(stream)
		t.Code("Admit, after the last group", codes.OK, err)
		t.Equal("Admit, after the last group: how many more answers it sends", 0, len(more))
		t.Code("Admit, after the last group: its error", codes.OK, <-returned)
	}
}

// show changes the number while the client listens, and after it has left.
func show(t *grade.T, f Functions) {
	for _, leaves := range []bool{false, true} {
		changes := make(chan int64)
		srv, c := dial(t, &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream numbers) error {
			return f.Show(stream, changes)
		}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
		t.Code("opening the stream", codes.OK, err)
		visitors := 1 + t.Rand.Int64N(100)
		for range 2 + t.Rand.IntN(5) {
			visitors += 1 + t.Rand.Int64N(10)
			for range 1 + t.Rand.IntN(3) { // only the first one is a change
				change(t, changes, visitors)
			}
			var n *number
			returns(t, "Show, after a change", func() { n, err = stream.Recv() })
			t.Code("Show, after a change", codes.OK, err)
			t.Equal("Show, after a change: the number that it sends", visitors, n.GetValue())
			time.Sleep(time.Duration(t.Rand.Int64N(int64(2 * time.Minute)))) // quiet, and still there
		}
		if leaves {
			cancel()
			time.Sleep(time.Minute)
			t.Equal("Show, a minute after its client has left, without another change: how many calls of Show still run",
				0, srv.OpenStreams())
			continue
		}
		close(changes)
		n, err := stream.Recv()
		if err == nil {
			t.Wrong("Show, after changes is closed", fmt.Sprintf("the number %d", n.GetValue()), "the end of the call")
		}
		ended(t, "Show, after changes is closed", codes.OK, err)
	}
}

func change(t *grade.T, changes chan<- int64, n int64) {
	select {
	case changes <- n:
	case <-time.After(time.Minute):
		t.Wrong("Show, with a client that listens", "it does not receive from changes", "it does")
	}
}

// watch reads what has waited for a guard, and lets another guard leave.
func watch(t *grade.T, f Functions) {
	w := openWatch(t, f)
	arrived, end := make(chan int64, 10), make(chan error, 1)
	go func() {
		for {
			n, err := w.stream.Recv()
			if err != nil {
				end <- err
				return
			}
			arrived <- n.GetValue()
		}
	}()
	settle()
	t.Equal("Watch, with 2 pictures and an alarm for a guard who reads slowly: how many of them arrive", 3, len(arrived))
	inOrder(t, arrived, 3)
	close(w.alarms)
	w.pictures <- picture(t, 3)
	settle()
	t.Equal("Watch, with a picture after alarms is closed: how many arrive", 1, len(arrived))
	inOrder(t, arrived, 1)
	close(w.pictures)
	settle()
	select {
	case err := <-end:
		ended(t, "Watch, after both channels are closed", codes.OK, err)
	default:
		t.Wrong("Watch, after both channels are closed", "no return", "the end of the call")
	}

	w = openWatch(t, f)
	w.cancel()
	settle()
	close(w.alarms)
	close(w.pictures)
	settle()
	t.Equal("Watch, after the guard has left and both channels are closed: how many calls of Watch still run",
		0, w.server.OpenStreams())
}

// A watching is a call of Watch.
type watching struct {
	pictures, alarms chan *number
	server           *service.Server
	stream           grpc.ServerStreamingClient[number]
	cancel           context.CancelFunc
}

// openWatch opens a stream, reads nothing, and puts two pictures and an alarm
// into the channels, more than fits between the two sides.
func openWatch(t *grade.T, f Functions) *watching {
	w := &watching{pictures: make(chan *number, 2), alarms: make(chan *number, 2)}
	w.server = &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream numbers) error {
		return f.Watch(stream, w.pictures, w.alarms)
	}}
	// A fixed window: two Sends must wait, however large the pictures are.
	c := pitfallsv1.NewPitfallServiceClient(memservertest.Serve(t, w.server.Register).Dial(t,
		grpc.WithStaticStreamWindowSize(64<<10), grpc.WithStaticConnWindowSize(64<<10)))
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(t.Context())
	var err error
	w.stream, err = c.Count(ctx, &pitfallsv1.CountRequest{})
	t.Code("opening the stream", codes.OK, err)
	// Each of them waits before the next one comes.
	settle()
	w.pictures <- picture(t, 1)
	settle()
	w.alarms <- &number{Value: -1}
	settle()
	w.pictures <- picture(t, 2)
	settle()
	return w
}

// inOrder requires that n numbers have arrived, and the pictures in their
// order.
func inOrder(t *grade.T, arrived <-chan int64, n int) {
	pictures := int64(0)
	for range n {
		if v := <-arrived; v > 0 {
			if v <= pictures {
				t.Wrong("Watch", fmt.Sprintf("picture %d after picture %d", v, pictures), "the pictures in their order")
			}
			pictures = v
		}
	}
}

func picture(t *grade.T, n int64) *number {
	return &number{Value: n, Padding: make([]byte, 300<<10+t.Rand.IntN(500<<10))}
}

// fails requires an error, whatever it says.
func fails(t *grade.T, call string, err error) {
	if err == nil {
		t.Wrong(call, "nil", "an error")
	}
}
