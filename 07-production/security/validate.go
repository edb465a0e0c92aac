package security

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// MaxContains is the limit of LogRequest.contains, in bytes: the server
// searches each entry for it.
const MaxContains = 256

// Validate is an interceptor that checks each message that the client sends,
// not only the first.
//
// InvalidArgument: a field exceeds its limit. The message names both.
func Validate(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler,
) error {
	return next(srv, validated{stream})
}

type validated struct{ grpc.ServerStream }

func (s validated) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return check(m)
}

// check returns nil for messages that have no limits of their own.
func check(m any) error {
	switch m := m.(type) {
	case *logsv1.LogRequest:
		if n := len(m.GetContains()); n > MaxContains {
			return status.Errorf(codes.InvalidArgument,
				"contains: must have at most %d bytes, got %d", MaxContains, n)
		}
	}
	return nil
}
