// Package travels records how a stream travels: what both sides call, and
// which HTTP/2 frames these calls cause. Its tests draw the diagrams of
// docs/how-a-stream-travels.md from what they record.
package travels

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver/memservertest"
	"example.com/streams/internal/wire"
)

// A scenario is one diagram: a client and a handler in plain gRPC code.
type scenario struct {
	name    string // of the section of the page
	client  func(context.Context, pitfallsv1.PitfallServiceClient) error
	handler pitfallsv1.PitfallServiceServer
	ends    codes.Code // what the client returns
	dial    []grpc.DialOption
	serve   []grpc.ServerOption
	during  func(*recorder, memservertest.Server) // runs beside the client
	show    []string                              // types of frames to draw that belong to no call
	named   bool                                  // calls and frames name their stream
}

// record runs the scenario in a bubble, and returns what has happened and the
// error of the client.
func record(t *testing.T, s scenario) (events []event, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{start: time.Now(), show: s.show, named: s.named}
		server := memservertest.Serve(t, func(g grpc.ServiceRegistrar) {
			pitfallsv1.RegisterPitfallServiceServer(g, s.handler)
		}, append(r.serverOptions(), s.serve...)...)
		dial := r.lossy(wire.New(r).Dialer(server.DialContext))
		conn := server.Dial(t, append(r.dialOptions(dial), s.dial...)...)
		if s.during != nil {
			go s.during(r, server)
		}
		err = s.client(t.Context(), pitfallsv1.NewPitfallServiceClient(conn))
		time.Sleep(time.Second) // for the handler, which may end after the client
		events = r.stop()
	})
	return events, err
}
