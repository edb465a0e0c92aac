// Command observe serves a log to five followers, and prints once a second
// what the server knows of their streams. Two followers read everything, one
// reads an entry a second, one waits for a text that the log never holds, and
// one leaves after one and a half seconds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	channelzv1 "google.golang.org/grpc/channelz/grpc_channelz_v1"
	"google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/observability"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/serve"
)

var (
	addr     = flag.String("addr", "localhost:0", "serve the log on `host:port`")
	admin    = flag.String("admin", "localhost:0", "serve channelz on `host:port`")
	duration = flag.Duration("for", 3*time.Second, "drain after this `time`")
)

func main() { os.Exit(cli.Main("observe [flags]", run)) }

func run(ctx context.Context) error {
	if err := cli.NoArgs(); err != nil {
		return err
	}
	if *duration < time.Second {
		return cli.Usagef("-for: must be at least 1s, got %v", *duration)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	adminListener, err := net.Listen("tcp", *admin)
	if err != nil {
		return err
	}
	defer adminListener.Close()
	fmt.Fprintf(os.Stderr, "observe: listening on %s, channelz on %s\n", listener.Addr(), adminListener.Addr())

	log := logs.NewLog(100_000)
	counters := &observability.Counters{Method: logsv1.LogService_StreamLogs_FullMethodName}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	server := serve.New(grpc.StatsHandler(counters),
		grpc.ChainStreamInterceptor(observability.LogStreams(logger, time.Second)))
	server.Drain, server.OnDrain = 500*time.Millisecond, log.Drain
	logsv1.RegisterLogServiceServer(server, &logs.LogServer{Log: log})
	adminServer := serve.New()
	service.RegisterChannelzServiceToServer(adminServer)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	followers, leave := context.WithCancel(context.Background())
	defer leave()
	var group errgroup.Group
	group.Go(func() error { return adminServer.ServeUntil(ctx, adminListener) })
	group.Go(func() error { defer leave(); return server.ServeUntil(ctx, listener) })
	group.Go(func() error { feed(ctx, log); return nil })
	if err := startFollowers(followers, &group, listener); err != nil {
		return err
	}
	conn, err := dial(adminListener)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = watch(ctx, counters, conn)
	stop() // the server drains, and then the followers leave
	err = errors.Join(err, group.Wait())
	fmt.Println("end", counters.Snapshot())
	return err
}

// feed appends a line of 10 KiB each 10 ms.
func feed(ctx context.Context, log *logs.Log) {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		<-ticker.C
		log.Append(strings.Repeat("x", 10<<10), false)
	}
}

func startFollowers(ctx context.Context, group *errgroup.Group, l net.Listener) error {
	everything := func() *logsv1.LogRequest { return &logsv1.LogRequest{Follow: true} }
	leaving, cancel := context.WithCancel(ctx)
	time.AfterFunc(1500*time.Millisecond, cancel)
	for _, f := range []struct {
		ctx   context.Context
		req   *logsv1.LogRequest
		pause time.Duration
	}{
		{ctx, everything(), 0},
		{ctx, everything(), 0},
		{ctx, everything(), time.Second},
		{ctx, &logsv1.LogRequest{Follow: true, Contains: "no such text"}, 0},
		{leaving, everything(), 0},
	} {
		conn, err := dial(l)
		if err != nil {
			return err
		}
		group.Go(func() error {
			defer conn.Close()
			follow(f.ctx, logsv1.NewLogServiceClient(conn), f.req, f.pause)
			return nil
		})
	}
	return nil
}

func dial(l net.Listener) (*grpc.ClientConn, error) {
	return grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// follow reads until its call ends. The counters say how it ended.
func follow(ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest, pause time.Duration) {
	for _, err := range logs.Tail(ctx, c, req) {
		if err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// watch prints the counters once a second, and then the connections.
func watch(ctx context.Context, counters *observability.Counters, conn *grpc.ClientConn) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for t := time.Second; t <= *duration; t += time.Second {
		select {
		case <-ctx.Done():
			return nil // a signal
		case <-ticker.C:
			fmt.Println(t, counters.Snapshot())
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return observability.PrintSockets(ctx, os.Stdout, channelzv1.NewChannelzClient(conn))
}
