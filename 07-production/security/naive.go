package security

import "google.golang.org/grpc"

// CheckAtOpen is the naive version of [Auth.Stream]: it looks at the token
// when a stream opens, and never again.
func (a *Auth) CheckAtOpen(
	srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler,
) error {
	session, err := a.session(stream.Context())
	if err != nil {
		return err
	}
	return next(srv, streamOf{stream, withUser(stream.Context(), session.User)})
}
