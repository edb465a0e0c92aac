package handlerpanic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "handler-panic",
	Symptom: "one bad message ends the process and everybody's streams",
	Fix:     "recover in a stream interceptor; answer Internal",
	Broken:  side(BrokenLogging),
	Fixed:   side(FixedLogging),
}

type logging = func(*slog.Logger) grpc.StreamServerInterceptor

// side plays the code below an interceptor that survives the panic, since
// the process that would die is the one that plays.
func side(code logging) play.Side {
	var died atomic.Value
	survive := func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		defer func() {
			if r := recover(); r != nil {
				died.Store(fmt.Sprint(r))
			}
		}()
		return next(srv, stream)
	}
	run := func(ctx context.Context, s *play.Stage) (any, error) {
		err := ask(ctx, s.Client, 7)
		if r := died.Load(); r != nil {
			return fmt.Sprintf("panic: %v; any other process would be gone", r), nil
		}
		return nil, err
	}
	return play.Side{
		Server: &service.Server{OnEcho: fibonacci},
		ServerOptions: []grpc.ServerOption{
			grpc.ChainStreamInterceptor(survive, code(slog.New(slog.DiscardHandler))),
		},
		Run: run,
	}
}

// fibonacci answers with the number of that place, and does not check it.
func fibonacci(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	numbers := []int64{0, 1, 1, 2, 3}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&pitfallsv1.Number{Value: numbers[n.GetValue()]}); err != nil {
			return err
		}
	}
}

// ask sends a number and waits for the answer.
func ask(ctx context.Context, c pitfallsv1.PitfallServiceClient, n int64) error {
	stream, err := c.Echo(ctx)
	if err != nil {
		return err
	}
	_ = stream.Send(&pitfallsv1.Number{Value: n}) // Recv has the status
	if err := stream.CloseSend(); err != nil {
		return err
	}
	_, err = service.Values(stream)
	return err
}
