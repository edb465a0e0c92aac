package streaminterceptor

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/play"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// Pitfall is the entry in the catalogue.
var Pitfall = play.Pitfall{
	Name:    "stream-interceptor",
	Symptom: "without a token calls are refused, and streams are not",
	Fix:     "set a stream interceptor beside each unary interceptor",
	Broken:  play.Side{ServerOptions: BrokenServerOptions(), Run: run},
	Fixed:   play.Side{ServerOptions: FixedServerOptions(), Run: run},
}

func run(ctx context.Context, s *play.Stage) (any, error) {
	stream, err := s.Client.Count(ctx, &pitfallsv1.CountRequest{To: 3})
	if err != nil {
		return nil, err
	}
	got, err := service.Values(stream)
	return fmt.Sprintf("without a token: %v", got), err
}

const token = "let me in"

// authorize returns nil if the call brings the token.
func authorize(ctx context.Context) error {
	got := strings.Join(metadata.ValueFromIncomingContext(ctx, "authorization"), "")
	if subtle.ConstantTimeCompare([]byte(got), []byte("Bearer "+token)) == 0 {
		return status.Error(codes.Unauthenticated, "authorization: want a bearer token")
	}
	return nil
}
