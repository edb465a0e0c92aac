package headerblocks

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "header-blocks",
	Symptom: "a bidirectional call hangs before its first message",
	Fix:     "send first, then ask for the header; nil means: ask Recv",
	Broken:  play.Side{Server: node("a"), Run: run(BrokenEcho)},
	Fixed:   play.Side{Server: node("a"), Run: run(FixedEcho)},
}

type echo = func(context.Context, pitfallsv1.PitfallServiceClient, int64) (string, []int64, error)

func run(echo echo) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		name, got, err := echo(ctx, s.Client, 1)
		return fmt.Sprintf("node %q, numbers %v", name, got), err
	}
}

// send sends the only number of a stream.
func send(stream grpc.BidiStreamingClient[pitfallsv1.Number, pitfallsv1.Number], value int64) error {
	err := stream.Send(&pitfallsv1.Number{Value: value})
	if err != nil && !errors.Is(err, io.EOF) { // Recv has the status
		return err
	}
	return stream.CloseSend()
}

// node is a server that puts its name into the header.
func node(name string) *service.Server {
	var plain service.Server
	header := metadata.Pairs("node", name)
	return &service.Server{
		OnCount: func(req *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number]) error {
			if req.GetTo() == 13 {
				return status.Error(codes.PermissionDenied, "to: 13 is reserved")
			}
			if err := stream.SetHeader(header); err != nil {
				return err
			}
			return plain.Count(req, stream)
		},
		OnEcho: func(stream grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
			if err := stream.SetHeader(header); err != nil {
				return err
			}
			return plain.Echo(stream)
		},
	}
}
