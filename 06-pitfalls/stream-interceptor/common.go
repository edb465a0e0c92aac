package streaminterceptor

import (
	"context"
	"crypto/subtle"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const token = "let me in"

func checkUnary(
	ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler,
) (any, error) {
	if err := authorize(ctx); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

// authorize returns nil if the metadata of the call contains the token, and
// the status Unauthenticated otherwise.
func authorize(ctx context.Context) error {
	got := strings.Join(metadata.ValueFromIncomingContext(ctx, "authorization"), "")
	if subtle.ConstantTimeCompare([]byte(got), []byte("Bearer "+token)) == 0 {
		return status.Error(codes.Unauthenticated, "authorization: must be a valid bearer token")
	}
	return nil
}
