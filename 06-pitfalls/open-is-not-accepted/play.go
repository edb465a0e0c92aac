package openisnotaccepted

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/bufnet/embedded"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "open-is-not-accepted",
	Symptom: "opening the stream works, though the server refuses it",
	Fix:     "the first message, or the header, shows that the server accepts",
	Broken:  play.Side{Run: run(BrokenCount)},
	Fixed:   play.Side{Run: run(FixedCount)},
}

type count = func(context.Context, *pitfallsv1.CountRequest, ...pitfallsv1.PitfallServiceClient) ([]int64, error)

func run(count count) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		refusing := embedded.Serve(func(r grpc.ServiceRegistrar) {
			pitfallsv1.RegisterPitfallServiceServer(r, &service.Server{OnCount: refuse})
		})
		defer refusing.Close()
		conn, err := refusing.NewClient()
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		return count(ctx, &pitfallsv1.CountRequest{To: 3}, pitfallsv1.NewPitfallServiceClient(conn), s.Client)
	}
}

// refuse is the handler of a server that accepts nobody.
func refuse(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	return status.Error(codes.Unauthenticated, "token: expired")
}
