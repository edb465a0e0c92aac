// Package demo runs the broken and the fixed code of a pitfall against a
// real server, and prints what each of them returned.
package demo

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/cli"
	"example.com/streams/internal/memserver"
)

// A Demo shows a pitfall.
type Demo struct{ Broken, Fixed Variant }

// A Variant is the broken or the fixed code of a pitfall.
type Variant struct {
	// Server handles the calls. Nil is a service.Server without stubs. Code
	// that needs server options runs a server of its own, in memory.
	Server *service.Server

	// Run calls the code and returns what the demo prints. It should end
	// soon after ctx is done. Its calls to c must have the metadata of ctx.
	Run func(ctx context.Context, c pitfallsv1.PitfallServiceClient) (any, error)
}

// grace is how long a variant may take to end once its context is canceled,
// and a handler to return once its client has gone.
const grace = 500 * time.Millisecond

// A Runner runs demos. It must not be used concurrently.
type Runner struct {
	Target *cli.Target   // without an address, each variant gets its own server
	Limit  time.Duration // how long a variant may run, > 0
	Out    io.Writer
}

// Run runs the broken code of d and then the fixed code. name is the name of
// the pitfall. The error is that of ctx, of connecting, of a first Ping, or of
// Out; what the code returned is printed.
func (r *Runner) Run(ctx context.Context, name string, d Demo) error {
	left, err := r.run(ctx, "broken", name, &d.Broken, false)
	if err != nil {
		return err
	}
	_, err = r.run(ctx, "fixed", name, &d.Fixed, left > 0)
	return err
}

// run returns how many handlers of the variant are left. It prints the number
// if it is not 0, or if sayNone is set.
func (r *Runner) run(ctx context.Context, variant, name string, v *Variant, sayNone bool) (left int64, err error) {
	ctx = metadata.AppendToOutgoingContext(ctx, metadataKey, variant+"/"+name)
	conn, watch, stop, err := r.connect(v)
	if err != nil {
		return 0, err
	}
	defer stop()
	if _, err := openStreams(ctx, watch); err != nil {
		return 0, err // the server is down, or does not know the demo
	}

	start := time.Now()
	var notWritten error
	say := func(format string, args ...any) {
		elapsed := time.Since(start).Round(100 * time.Millisecond)
		_, err := fmt.Fprintf(r.Out, "%-6s %6v  %s\n", variant, elapsed, fmt.Sprintf(format, args...))
		notWritten = cmp.Or(notWritten, err)
	}
	runCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan string, 1)
	go func() { ended <- outcome(v.Run(runCtx, pitfallsv1.NewPitfallServiceClient(conn))) }()
	select {
	case what := <-ended:
		say("%s", what)
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(r.Limit):
		say("still runs; canceling its context")
		cancel()
		select {
		case what := <-ended:
			say("%s", what)
		case <-time.After(grace):
			say("still runs, although its context is canceled")
		}
	}
	if left = openStreamsAfter(ctx, watch, grace); left > 0 || sayNone {
		say("handlers that have not returned: %d", left)
	}
	return left, cmp.Or(ctx.Err(), notWritten)
}

// connect returns a connection for the code and one for [openStreams], whose
// frames are not printed. The caller calls stop.
func (r *Runner) connect(v *Variant) (conn, watch *grpc.ClientConn, stop func(), err error) {
	connect, connectWatch := r.Target.Dial, (&cli.Target{Addr: r.Target.Addr}).Dial
	stopServer := func() {}
	if r.Target.Addr == "" {
		// A broken handler may never return, so Stop must not wait for it.
		s := memserver.Serve(v.server().Register, grpc.WaitForHandlers(false))
		connect = func(...grpc.DialOption) (*grpc.ClientConn, error) {
			return s.NewClient(r.Target.Dialer(s.DialContext))
		}
		connectWatch, stopServer = s.NewClient, s.Stop
	}
	if conn, err = connect(); err == nil {
		watch, err = connectWatch()
	}
	if err != nil {
		stopServer()
		return nil, nil, nil, err
	}
	return conn, watch, func() { _, _ = conn.Close(), watch.Close(); stopServer() }, nil
}

func (v *Variant) server() *service.Server {
	if v.Server == nil {
		return new(service.Server)
	}
	return v.Server
}

func outcome(result any, err error) string {
	switch {
	case err == nil && result == nil:
		return "ended without an error"
	case err == nil:
		return fmt.Sprint(result)
	case result == nil:
		return cli.Describe(err)
	default:
		return fmt.Sprintf("%v; %s", result, cli.Describe(err))
	}
}

// openStreamsAfter asks until no handler runs, or until d has passed, and
// returns how many run then. It returns 0 if the server does not answer.
func openStreamsAfter(ctx context.Context, conn *grpc.ClientConn, d time.Duration) int64 {
	for end := time.Now().Add(d); ; time.Sleep(10 * time.Millisecond) {
		open, err := openStreams(ctx, conn)
		if err != nil || open == 0 || time.Now().After(end) {
			return open
		}
	}
}

func openStreams(ctx context.Context, conn *grpc.ClientConn) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	response, err := pitfallsv1.NewPitfallServiceClient(conn).Ping(ctx, &pitfallsv1.PingRequest{})
	return response.GetOpenStreams(), err
}
