// Package errorcontract observes what each call of a stream returns after
// the RPC has ended. Its tests write the tables of docs/error-contract.md.
package errorcontract

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/faultnet"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/testproc"
)

// A fixture is a stream with both of its ends, and the termination of its RPC.
type fixture struct {
	t *testing.T
	rpcType
	termination
	run int // counts the fixtures of one cell

	server  memservertest.Server
	network *faultnet.Network
	rpcs    pitfallsv1.PitfallServiceClient
	ctx     context.Context
	cancel  context.CancelFunc

	client      *clientEnd                  // nil: the stream did not open
	handler     *serverEnd                  // nil: no handler, or one in another process
	acts        chan func(*serverEnd) error // what the handler does to end the RPC
	panicServer *testproc.Process           // nil: the server is in this process
}

// newFixture opens a stream and sends one message in each direction that
// streams.
func newFixture(t *testing.T, typ rpcType, term termination, run int) *fixture {
	f := &fixture{t: t, rpcType: typ, termination: term, run: run}
	f.ctx, f.cancel = context.WithCancel(t.Context())
	if term.timeout > 0 {
		f.ctx, f.cancel = context.WithTimeout(t.Context(), term.timeout)
	}
	t.Cleanup(f.cancel)
	f.acts = make(chan func(*serverEnd) error)
	if term.process {
		f.startPanicServer()
		f.begin()
		return f // a socket is open, so the bubble would never be idle
	}
	f.serve()
	f.begin()
	synctest.Wait()
	return f
}

// serve starts a server in memory and connects to it.
func (f *fixture) serve() {
	register := stub(f.handle).Register
	if f.unregistered {
		register = func(grpc.ServiceRegistrar) {}
	}
	f.server = memservertest.Serve(f.t, register, f.serverOptions...)
	f.network = faultnet.New(f.server.DialContext)
	options := append(f.dialOptions, grpc.WithContextDialer(f.network.DialContext))
	f.rpcs = pitfallsv1.NewPitfallServiceClient(f.server.Dial(f.t, options...))
	f.t.Cleanup(func() { close(f.acts) })
}

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
	if f.largeRequest {
		return f.open(f.ctx, f.rpcs, large)
	}
	return f.open(f.ctx, f.rpcs, small)
}

// handle is the handler. It waits until the termination tells it what to do.
func (f *fixture) handle(h *serverEnd) error {
	if err := exchange(h, f.beforeFirst); err != nil {
		return err
	}
	if f.handler == nil { // otherwise, the call "open" has opened this stream
		f.handler = h
	}
	act, ok := <-f.acts
	if !ok {
		return nil
	}
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
	if f.handler == nil && f.panicServer == nil {
		return nil
	}
	return f.end(f)
}

func (f *fixture) must(err error) {
	f.t.Helper()
	require.NoError(f.t, err, "%s, %s, before the RPC ends", f.rpcType.name, f.termination.name)
}
