package bufconndns

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// FixedDial returns a connection to the server that dial leads to.
func FixedDial(dial dialer, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	opts = append(opts,
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	return grpc.NewClient("passthrough:///bufnet", opts...)
}
