package follow

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

func newConnect() (publisher, *grpc.Server, http.Handler) {
	h := newHub(func(*item) {})
	send := func(ctx context.Context, _ *connect.Request[logsv1.LogRequest], stream *connect.ServerStream[logsv1.LogEntry]) error {
		items, leave := h.follow()
		defer leave()
		for {
			select {
			case i := <-items:
				if err := stream.Send(i.entry); err != nil {
					return err
				}
			case <-ctx.Done():
				return nil
			}
		}
	}
	mux := http.NewServeMux()
	mux.Handle(logsv1.LogService_StreamLogs_FullMethodName,
		connect.NewServerStreamHandler(logsv1.LogService_StreamLogs_FullMethodName, send))
	return h, nil, mux
}

// connectFollowers speak connect-go's own protocol over HTTP/2.
func connectFollowers(ctx context.Context, group *errgroup.Group, n network, followers []*follower) {
	for _, f := range followers {
		n.call()
		group.Go(func() error { return ended(ctx, f.tailConnect(ctx, n)) })
	}
}

func (f *follower) tailConnect(ctx context.Context, n network) error {
	transport := &http.Transport{Protocols: new(http.Protocols), DialContext: n.dialTCP}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	client := connect.NewClient[logsv1.LogRequest, logsv1.LogEntry](
		&http.Client{Transport: transport}, "http://"+n.addr+logsv1.LogService_StreamLogs_FullMethodName,
		connect.WithAcceptCompression("gzip", nil, nil)) // nobody else compresses
	stream, err := client.CallServerStream(ctx, connect.NewRequest(&logsv1.LogRequest{Follow: true}))
	if err != nil {
		return err
	}
	defer stream.Close()
	for stream.Receive() {
		if err := f.seenEntry(stream.Msg()); err != nil {
			return err
		}
	}
	return stream.Err()
}
