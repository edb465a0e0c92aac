// Command heartbeat follows a quiet log through a proxy twice: while both
// sides send PINGs, and while the server sends bookmarks.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/proxies"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/wire"
)

const (
	idle       = 11 * time.Second // of the proxy
	clientPing = 10 * time.Second // grpc-go allows clients no less
	serverPing = 6 * time.Second
	heartbeat  = 4 * time.Second  // of the server
	nextEntry  = 13 * time.Second // until then, the log is quiet
)

func main() { os.Exit(cli.Main("heartbeat", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	fmt.Printf("proxy:     a stream may be quiet for %v\n", idle)
	log := logs.NewLog(10)
	log.Append("first", false)
	defer time.AfterFunc(nextEntry, func() { log.Append("second", false) }).Stop()
	service := &logs.LogServer{Log: log, BookmarkInterval: heartbeat}
	var group errgroup.Group
	group.Go(func() error {
		return show(ctx, "pings:", service, &logsv1.LogRequest{Follow: true},
			[]grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{Time: serverPing})},
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: clientPing}))
	})
	time.Sleep(500 * time.Millisecond) // so that the streams take turns in printing
	group.Go(func() error {
		return show(ctx, "bookmarks:", service, &logsv1.LogRequest{Follow: true, Bookmarks: true}, nil)
	})
	return group.Wait()
}

// show makes a call through a proxy, and prints what arrives on the way,
// until the log's second entry or the end of the stream.
func show(
	ctx context.Context, name string, service *logs.LogServer, req *logsv1.LogRequest,
	serverOpts []grpc.ServerOption, dialOpts ...grpc.DialOption,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return err
	}
	// Without static windows, grpc-go also sends PINGs to measure bandwidth.
	s := grpc.NewServer(append(serverOpts, grpc.StaticStreamWindowSize(64<<10))...)
	logsv1.RegisterLogServiceServer(s, service)
	go func() { _ = s.Serve(server) }() // until Stop
	defer s.Stop()

	front, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return err
	}
	p := &proxies.Proxy{
		Upstream: server.Addr().String(),
		Idle:     idle,
		Dial:     wire.New(answers{name, "server", "C->S"}).Dialer(dial),
	}
	go func() { _ = p.Serve(ctx, front) }() // until ctx is done

	conn, err := grpc.NewClient(front.Addr().String(), append(dialOpts,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStaticStreamWindowSize(64<<10),
		grpc.WithContextDialer(wire.New(answers{name, "client", "S->C"}).Dialer(dial)))...)
	if err != nil {
		return err
	}
	defer conn.Close()
	stream, err := logsv1.NewLogServiceClient(conn).StreamLogs(ctx, req)
	if err != nil {
		return err
	}
	for {
		e, err := stream.Recv()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			fmt.Printf("%-10s %s\n", name, cli.Describe(err))
			return nil
		case e.GetBookmark():
			fmt.Printf("%-10s the client receives a bookmark\n", name)
		default:
			fmt.Printf("%-10s the client receives entry %d\n", name, e.GetSequence())
		}
		if e.GetSequence() == 2 {
			return nil
		}
	}
}

// answers prints the proxy's answers to the PINGs of one side.
type answers struct{ name, side, direction string }

// Write gets a line of [wire.Tap].
func (a answers) Write(line []byte) (int, error) {
	if s := string(line); strings.Contains(s, a.direction+" PING") && strings.Contains(s, "ACK") {
		fmt.Printf("%-10s the proxy answers a PING of the %s\n", a.name, a.side)
	}
	return len(line), nil
}

func dial(ctx context.Context, addr string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr)
}
