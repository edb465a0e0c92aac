package measure

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// Idle opens connections over TCP with that many streams each, which have
// received one entry and wait for the next. It returns how many bytes of heap
// and stacks they take, on both sides. shared false sets
// SharedWriteBuffer(false), true leaves the default.
func Idle(ctx context.Context, connections, streams int, shared bool) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return 0, err
	}
	//nolint:staticcheck // deprecated, because it is the default; this measures what it saves
	own, ownHere := grpc.SharedWriteBuffer(false), grpc.WithSharedWriteBuffer(false)
	if shared {
		own, ownHere = grpc.EmptyServerOption{}, grpc.EmptyDialOption{}
	}
	s := grpc.NewServer(own, grpc.WaitForHandlers(true))
	register(newLog(1, 100))(s)
	go func() { _ = s.Serve(listener) }() // until Stop
	defer s.Stop()
	before := heap()
	for range connections {
		conn, err := grpc.NewClient(listener.Addr().String(),
			grpc.WithTransportCredentials(insecure.NewCredentials()), ownHere)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		for range streams {
			if err := openAndReceive(ctx, conn); err != nil {
				return 0, err
			}
		}
	}
	return heap() - before, nil
}

func openAndReceive(ctx context.Context, conn *grpc.ClientConn) error {
	stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}
