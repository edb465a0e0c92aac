// Package streaminterceptor shows a server that checks unary calls only; see README.md.
package streaminterceptor

import "google.golang.org/grpc"

// BrokenServerOptions returns the options of a server that is meant to refuse
// calls without the token.
func BrokenServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(checkUnary),
	}
}
