// Package bufconndns shows a client that asks DNS for a server in memory; see README.md.
package bufconndns

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// BrokenDial is meant to return a connection to the server that dial connects
// to. The caller closes it.
func BrokenDial(dial func(context.Context, string) (net.Conn, error)) (*grpc.ClientConn, error) {
	return grpc.NewClient("bufnet",
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
}
