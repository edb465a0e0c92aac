package travels

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// What the connection adds to a stream.
var connections = []scenario{
	{name: "flow control", client: callUnread, handler: eagerHandler{}, show: []string{"WINDOW_UPDATE"}},
	{name: "client keepalive", client: callSlow, handler: slowHandler{},
		dial: clientKeepalive, serve: tolerant, show: []string{"PING"}},
	{name: "server keepalive", client: callUnanswered, handler: waitingHandler{}, ends: codes.Canceled,
		serve: serverKeepalive, during: loseAllFrames, show: []string{"PING"}},
	{name: "drain", client: callSlow, handler: slowHandler{},
		during: drain, show: []string{"GOAWAY", "PING"}},
	{name: "two streams", client: callTwo, handler: twoHandlers{}, named: true},
}

func callUnread(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 100})
	if err != nil {
		return err
	}
	time.Sleep(time.Minute) // the client is busy
	_, err = stream.Recv()
	return err
}

type eagerHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

func (eagerHandler) Count(
	req *pitfallsv1.CountRequest,
	stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	padding := make([]byte, 16<<10-10) // 16 KiB with the tags and the prefix
	for i := range req.GetTo() {
		err := stream.Send(&pitfallsv1.Number{Value: i + 1, Padding: padding})
		if err != nil {
			return err
		}
	}
	return nil
}

var clientKeepalive = []grpc.DialOption{grpc.WithKeepaliveParams(keepalive.ClientParameters{
	Time: 10 * time.Second,
})}

// Without this policy, a server accepts a PING every five minutes.
var tolerant = []grpc.ServerOption{grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
	MinTime: 5 * time.Second,
})}

func callSlow(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 1})
	if err != nil {
		return err
	}
	return recvAll(stream)
}

type slowHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

// Count needs 15 seconds for each number.
func (slowHandler) Count(
	req *pitfallsv1.CountRequest,
	stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	for i := range req.GetTo() {
		time.Sleep(15 * time.Second)
		if err := stream.Send(&pitfallsv1.Number{Value: i + 1}); err != nil {
			return err
		}
	}
	return nil
}

var serverKeepalive = []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
	Time:    10 * time.Second,
	Timeout: 5 * time.Second,
})}

func callUnanswered(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	time.AfterFunc(time.Minute, cancel)
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{To: 1})
	if err != nil {
		return err
	}
	return recvAll(stream)
}

type waitingHandler struct {
	pitfallsv1.UnimplementedPitfallServiceServer
}

// Count waits until the RPC has ended.
func (waitingHandler) Count(
	_ *pitfallsv1.CountRequest,
	stream grpc.ServerStreamingServer[pitfallsv1.Number],
) error {
	<-stream.Context().Done()
	return status.FromContextError(stream.Context().Err()).Err()
}

func loseAllFrames(r *recorder, _ memservertest.Server) {
	time.Sleep(12 * time.Second)
	r.add("C,S", began, "from here on, all frames are lost")
	r.lost.Store(true)
}

func drain(r *recorder, s memservertest.Server) {
	time.Sleep(5*time.Second + turn)
	r.add(server, began, "GracefulStop")
	s.GracefulStop()
	r.add(server, returned, "GracefulStop returns")
}

func callTwo(ctx context.Context, c pitfallsv1.PitfallServiceClient) error {
	countCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	count, err := c.Count(countCtx, &pitfallsv1.CountRequest{To: 1})
	if err != nil {
		return err
	}
	echo, err := c.Echo(ctx)
	if err != nil {
		return err
	}
	cancel()
	if _, err := count.Recv(); status.Code(err) != codes.Canceled {
		return err
	}
	if err := echo.Send(&pitfallsv1.Number{Value: 1}); err != nil {
		return err
	}
	if _, err := echo.Recv(); err != nil {
		return err
	}
	if err := echo.CloseSend(); err != nil {
		return err
	}
	return recvAll(echo)
}

type twoHandlers struct {
	waitingHandler
}

func (twoHandlers) Echo(
	stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number],
) error {
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(n); err != nil {
			return err
		}
	}
}
