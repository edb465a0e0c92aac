// Package errorcontract observes what each call of a stream returns after
// the RPC has ended. Its tests write the tables of docs/error-contract.md.
package errorcontract

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/testproc"
)

// A fixture is a stream with both of its ends, and the termination of its RPC.
type fixture struct {
	t *testing.T
	bench
	rpcType
	termination
	run    int   // counts the fixtures of one cell
	broken error // of a call before the RPC ends

	server  *grpc.Server
	network *faultnet.Network
	conn    *grpc.ClientConn
	ctx     context.Context
	cancel  context.CancelFunc

	client      *clientEnd                  // nil: the stream did not open
	handler     *serverEnd                  // nil: no handler, or one in another process
	started     chan *serverEnd             // the handler, after it has exchanged its messages
	acts        chan func(*serverEnd) error // what the handler does to end the RPC
	acted       chan bool                   // the handler has done so
	peer        *peer                       // nil: the server is one of grpc-go
	panicServer *testproc.Process           // nil: the server is in this process
}

// newFixture starts a server and connects to it. Then it opens a stream, and
// sends one message in each direction that streams, unless the termination
// comes earlier.
func newFixture(t *testing.T, b bench, typ rpcType, term termination, run int) *fixture {
	f := &fixture{t: t, bench: b, rpcType: typ, termination: term, run: run}
	f.ctx, f.cancel = context.WithCancel(t.Context())
	t.Cleanup(f.cancel)
	f.started = make(chan *serverEnd, 1)
	f.acts, f.acted = make(chan func(*serverEnd) error), make(chan bool, 1)
	if term.process {
		f.startPanicServer()
	} else {
		f.serve()
	}
	if term.timeout {
		f.ctx, f.cancel = context.WithTimeout(t.Context(), b.deadline)
		t.Cleanup(f.cancel)
	}
	limit := time.AfterFunc(time.Hour, func() {
		t.Errorf("%s, %s: a call has not returned after an hour", typ.name, term.name)
		_ = f.conn.Close()
	})
	t.Cleanup(func() { limit.Stop() })
	if term.unopened {
		return f
	}
	f.begin()
	if term.process {
		return f // a socket is open, so the bubble would never be idle
	}
	f.settle()
	select {
	case f.handler = <-f.started:
	default: // there is no handler
	}
	return f
}

// serve starts a server and connects to it.
func (f *fixture) serve() {
	listener, dial := f.listen(f.t)
	f.t.Cleanup(func() { _ = listener.Close() })
	if f.nobody {
		_ = listener.Close() // the cleanup may close it again
	}
	f.network = faultnet.New(dial)
	options := []grpc.DialOption{
		grpc.WithContextDialer(f.network.DialContext),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	}
	f.server = grpc.NewServer(append([]grpc.ServerOption{grpc.WaitForHandlers(true)}, f.serverOptions...)...)
	f.t.Cleanup(f.server.Stop)
	conn, err := grpc.NewClient("passthrough:///server", append(options, f.dialOptions...)...)
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = conn.Close() })
	f.conn = conn
	if f.answer != nil || f.hello != "" {
		f.peer = newPeer(f)
		go f.peer.serve(listener)
		return
	}
	f.t.Cleanup(func() { close(f.acts) })
	if !f.unregistered {
		stub(f.handle).Register(f.server)
	}
	go f.serveGRPC(listener)
}

// serveGRPC returns when the server stops. A client notices if it fails.
func (f *fixture) serveGRPC(l net.Listener) { _ = f.server.Serve(l) }

// begin opens the stream and makes the calls that come before the end.
func (f *fixture) begin() {
	c, err := f.openStream()
	if err != nil {
		return
	}
	f.client = c
	if f.beforeFirst || f.largeRequest && c.send == nil { // the request is too large
		return
	}
	if c.send != nil {
		f.must(c.send(small))
	}
	if !c.one {
		f.must(c.recv())
	}
}

func (f *fixture) openStream() (*clientEnd, error) {
	client := pitfallsv1.NewPitfallServiceClient(f.conn)
	if f.largeRequest {
		return f.open(f.ctx, client, large)
	}
	return f.open(f.ctx, client, small)
}

// handle is the handler. It waits until the termination tells it what to do.
func (f *fixture) handle(h *serverEnd) error {
	if err := exchange(h, f.beforeFirst); err != nil {
		return err
	}
	select {
	case f.started <- h:
	default: // the call "open" has opened this stream
	}
	act, ok := <-f.acts
	if !ok {
		return nil
	}
	defer func() { f.acted <- true }() // also if act panics
	return act(h)
}

// exchange receives and sends one message, in the directions that the RPC
// type streams.
func exchange(h *serverEnd, nothing bool) error {
	h.SetTrailer(metadata.Pairs("served-by", "handler"))
	if nothing {
		return nil
	}
	if h.recv != nil {
		if err := h.recv(); err != nil {
			return err
		}
	}
	if h.one {
		return nil
	}
	return h.send(small)
}

// endRPC ends the RPC, unless opening the stream has ended it. It returns the
// error of the call that ends the RPC, if a call does.
func (f *fixture) endRPC() error {
	if f.end == nil || f.handler == nil && f.peer == nil && f.panicServer == nil {
		return nil
	}
	return f.end(f)
}

// must notes that a call failed before the RPC has ended.
func (f *fixture) must(err error) {
	if err != nil && f.broken == nil {
		f.broken = err
	}
}
