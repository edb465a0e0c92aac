package cancellation

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Curable reports whether the same request may succeed later. It may not
// after InvalidArgument, NotFound, AlreadyExists, PermissionDenied,
// FailedPrecondition, OutOfRange, Unimplemented, DataLoss and
// Unauthenticated: the request, the server or the data must change first.
//
// The codes that are left say nothing about the request. Internal and
// Unknown are among them, because a connection that breaks in the middle of
// a message, a proxy, and a handler that returns a plain error cause those.
func Curable(err error) bool {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists,
		codes.PermissionDenied, codes.FailedPrecondition, codes.OutOfRange,
		codes.Unimplemented, codes.DataLoss, codes.Unauthenticated:
		return false
	default:
		return true
	}
}
