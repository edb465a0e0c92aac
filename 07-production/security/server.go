// Package security decides who may open a stream, for how long the stream
// may stay open, and how much one user may take.
package security

import (
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// Options returns the options of a server, for serve.New. A connection gets
// a GOAWAY when it is as old as age, more or less 10%, and its open streams
// have another tenth of age to finish. If age is 0, it has no limit.
func Options(conf *tls.Config, auth *Auth, quotas *Quotas, age time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(credentials.NewTLS(conf)),
		// KeepaliveParams replaces those of serve.New, so it repeats the
		// times for dead clients.
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time:                  20 * time.Second,
			Timeout:               10 * time.Second,
			MaxConnectionAge:      age,
			MaxConnectionAgeGrace: age / 10,
		}),
		grpc.ChainUnaryInterceptor(auth.Unary),
		grpc.ChainStreamInterceptor(auth.Stream, quotas.Stream, Validate),
	}
}
