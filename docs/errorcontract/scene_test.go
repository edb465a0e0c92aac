package errorcontract

import (
	"context"
	"math"
	"net"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet"
)

// Sizes of messages. The varint of a number takes one byte or nine, and
// its tag one more.
const (
	small = 1
	large = math.MaxInt64
	limit = 9 // bytes; between the two
)

// A scene is one stream with both of its ends in hand, at the point
// where it ends.
type scene struct {
	t *testing.T
	shape
	ending
	run int // counts the scenes of one cell

	server bufnet.Server
	link   *link
	stub   pitfallsv1.PitfallServiceClient
	ctx    context.Context
	cancel context.CancelFunc

	client  *clientEnd // nil: the stream did not open
	handler *serverEnd // nil: no handler, or one in another process
	entered chan *serverEnd
	acts    chan func() error // what the handler does at the point
	child   *child
}

func newScene(t *testing.T, s shape, e ending, run int) *scene {
	sc := &scene{t: t, shape: s, ending: e, run: run}
	sc.ctx, sc.cancel = context.WithCancel(t.Context())
	if e.timeout > 0 {
		sc.ctx, sc.cancel = context.WithTimeout(t.Context(), e.timeout)
	}
	t.Cleanup(sc.cancel)
	sc.entered = make(chan *serverEnd, 2) // the stream, and what "open" opens
	sc.acts = make(chan func() error)
	return sc
}

// serve connects the scene to a server in memory.
func (sc *scene) serve() {
	register := service{handle: sc.handle}.register
	if sc.unregistered {
		register = func(grpc.ServiceRegistrar) {}
	}
	sc.server = bufnet.Serve(sc.t, register, sc.serverOptions...)
	options := append(sc.dialOptions, grpc.WithContextDialer(sc.dial))
	sc.stub = pitfallsv1.NewPitfallServiceClient(sc.server.Dial(sc.t, options...))
	sc.t.Cleanup(func() { close(sc.acts) })
}

func (sc *scene) dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := sc.server.DialContext(ctx, addr)
	if err != nil {
		return nil, err
	}
	sc.link = &link{conn, make(chan struct{}, 1)}
	return sc.link, nil
}

// A link is the client's end of a connection. While writing is full,
// nothing leaves the client.
type link struct {
	net.Conn
	writing chan struct{}
}

func (l *link) Write(b []byte) (int, error) {
	l.writing <- struct{}{}
	defer func() { <-l.writing }()
	return l.Conn.Write(b)
}

// handle waits at the point for what the ending has the handler do.
func (sc *scene) handle(h *serverEnd) error {
	if err := sc.greet(h); err != nil {
		return err
	}
	sc.entered <- h
	act, ok := <-sc.acts
	if !ok {
		return nil
	}
	return act()
}

// greet has one message go each way, where the shape has it.
func (sc *scene) greet(h *serverEnd) error {
	h.SetTrailer(metadata.Pairs("served-by", "handler"))
	if sc.first {
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

func (sc *scene) openStream() (*clientEnd, error) {
	if sc.up {
		return sc.open(sc.ctx, sc.stub, large)
	}
	return sc.open(sc.ctx, sc.stub, small)
}

// begin opens the stream and brings it to the point where it ends.
func (sc *scene) begin() {
	c, err := sc.openStream()
	if err != nil {
		return
	}
	sc.client = c
	if sc.first || sc.up && c.send == nil { // the request is too large
		return
	}
	if c.send != nil {
		sc.must(c.send(small))
	}
	if !c.one {
		sc.must(c.recv())
	}
}

// play brings the stream to its end and waits until both sides know.
func (sc *scene) play() (failed error) {
	if sc.process {
		sc.spawn()
		sc.begin()
	} else {
		sc.serve()
		sc.begin()
		synctest.Wait()
		select {
		case sc.handler = <-sc.entered:
		default:
		}
	}
	failed = sc.end(sc)
	// Reading a socket keeps a bubble busy: this waits for a process, too.
	synctest.Wait()
	return failed
}

func (sc *scene) must(err error) {
	sc.t.Helper()
	if err != nil {
		sc.t.Fatalf("%s, %s, before the end: %v", sc.shape.name, sc.ending.name, err)
	}
}
