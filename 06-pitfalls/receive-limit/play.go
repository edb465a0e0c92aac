package receivelimit

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "receive-limit",
	Symptom: "Send says nothing; then ResourceExhausted, above 4 MiB",
	Fix:     "send large data in pieces; the limit is the receiver's",
	Broken:  play.Side{Server: store(), Run: run(BrokenUpload)},
	Fixed:   play.Side{Server: store(), Run: run(FixedUpload)},
}

func run(
	upload func(context.Context, pitfallsv1.PitfallServiceClient, []byte) (int64, error),
) play.Run {
	return func(ctx context.Context, s *play.Stage) (any, error) {
		got, err := upload(ctx, s.Client, make([]byte, 5<<20))
		return fmt.Sprintf("the server got %d of 5242880 bytes", got), err
	}
}

// store returns a service whose Sum counts bytes.
func store() *service.Server {
	return &service.Server{OnSum: countBytes}
}

func countBytes(stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	response := &pitfallsv1.SumResponse{}
	for {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(response)
		}
		if err != nil {
			return err
		}
		response.Sum += int64(len(n.GetPadding()))
	}
}
