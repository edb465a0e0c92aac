package follow

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/throughput/bufcodec"
	"example.com/streams/07-production/throughput/fastlog"
)

type serverStream = grpc.ServerStreamingServer[logsv1.LogEntry]

// A loop keeps the streams in a list, and sends each entry to one after the
// other. Its methods may be called concurrently.
type loop struct {
	logsv1.UnimplementedLogServiceServer

	mu      sync.Mutex
	last    *item
	streams []serverStream
}

func newLoop() (publisher, *grpc.Server, http.Handler) {
	l := new(loop)
	return l, serveLogs(l), nil
}

func (l *loop) StreamLogs(_ *logsv1.LogRequest, stream serverStream) error {
	l.mu.Lock()
	l.streams = append(l.streams, stream)
	err := stream.Send(l.last.entry)
	l.mu.Unlock()
	if err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (l *loop) publish(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = next(l.last, text)
	for _, stream := range l.streams {
		_ = stream.Send(l.last.entry) // fails for a follower that has left
	}
}

func (l *loop) close() {}

// A hubServer sends what comes from a hub. Its methods may be called
// concurrently.
type hubServer struct {
	logsv1.UnimplementedLogServiceServer

	hub  *hub
	send func(serverStream, *item) error
}

func newChannels() (publisher, *grpc.Server, http.Handler) {
	h := &hubServer{hub: newHub(func(*item) {}), send: sendEntry}
	return h.hub, serveLogs(h), nil
}

func newDroppingChannels() (publisher, *grpc.Server, http.Handler) {
	h := &hubServer{hub: newHub(func(*item) {}), send: sendEntry}
	h.hub.drop = true
	return h.hub, serveLogs(h), nil
}

func newPreparedChannels() (publisher, *grpc.Server, http.Handler) {
	h := &hubServer{hub: newHub(func(*item) {}), send: sendPrepared}
	return h.hub, serveLogs(h), nil
}

func (h *hubServer) StreamLogs(_ *logsv1.LogRequest, stream serverStream) error {
	items, leave := h.hub.follow()
	defer leave()
	for {
		select {
		case i := <-items:
			if err := h.send(stream, i); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		}
	}
}

func sendEntry(stream serverStream, i *item) error { return stream.Send(i.entry) }

// sendPrepared sends what the first follower has encoded.
func sendPrepared(stream serverStream, i *item) error {
	var err error
	i.encoded.Do(func() { err = i.prepared.Encode(stream, i.entry) })
	if err != nil {
		return err
	}
	return stream.SendMsg(&i.prepared)
}

// A logPublisher appends to the log of chapter 02.
type logPublisher struct{ *logs.Log }

func newLogServer() (publisher, *grpc.Server, http.Handler) {
	log := logs.NewLog(retention)
	return logPublisher{log}, serveLogs(&logs.LogServer{Log: log}), nil
}

// retention is more than one sample publishes, so that no follower is too
// slow.
const retention = 10_000

func (l logPublisher) publish(text string) { l.Append(text, false) }
func (l logPublisher) close()              { l.Drain() }

// A fastPublisher appends to the log of package fastlog.
type fastPublisher struct{ *fastlog.Log }

// newFastLog offers single entries that are encoded once, and batches of
// them.
func newFastLog() (publisher, *grpc.Server, http.Handler) {
	log := fastlog.NewLog(retention)
	server := grpc.NewServer(grpc.ForceServerCodecV2(bufcodec.Codec{}))
	(&fastlog.LogServer{Log: log}).Register(server)
	return fastPublisher{log}, server, nil
}

func (l fastPublisher) publish(text string) { l.Append(text, false) }
func (l fastPublisher) close()              { l.Drain() }

func serveLogs(s logsv1.LogServiceServer) *grpc.Server {
	server := grpc.NewServer()
	logsv1.RegisterLogServiceServer(server, s)
	return server
}

// An entries is the client of a way to receive entries.
type entries func(grpc.ClientConnInterface) logsv1.LogServiceClient

// single receives an entry in each message. fastlog.NewClient receives
// batches.
func single(conn grpc.ClientConnInterface) logsv1.LogServiceClient {
	return logsv1.NewLogServiceClient(conn)
}

// grpcFollowers have this many streams on each connection.
func grpcFollowers(client entries, streams int) joiner {
	return func(ctx context.Context, group *errgroup.Group, n network, followers []*follower) {
		for batch := range slices.Chunk(followers, streams) {
			conn, err := n.connect(ctx)
			if err != nil {
				group.Go(func() error { return err })
				return
			}
			for _, f := range batch {
				n.call()
				group.Go(func() error {
					return ended(ctx, f.tail(ctx, client(conn)))
				})
			}
		}
	}
}

// connect returns a connection that is closed when ctx ends.
func (n network) connect(ctx context.Context) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("passthrough:///"+n.addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return n.dial(ctx) }))
	if err == nil {
		context.AfterFunc(ctx, func() { conn.Close() })
	}
	return conn, err
}

// tail returns when the stream ends.
func (f *follower) tail(ctx context.Context, client logsv1.LogServiceClient) error {
	stream, err := client.StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
	if err != nil {
		return err
	}
	for {
		entry, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := f.seenEntry(entry); err != nil {
			return err
		}
	}
}
