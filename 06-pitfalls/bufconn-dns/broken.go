// Package bufconndns lets DNS look up a server that is in memory.
//
// Symptom: a test that worked with grpc.Dial is Unavailable with NewClient:
// "name resolver error: produced zero addresses". Where DNS is slow, it hangs.
//
// Cause: to Dial, a target without a scheme meant passthrough: the dialer gets
// the name as it is. To NewClient it means dns: the name is looked up first,
// and your dialer, which needs none, is never asked.
//
// Silence: a target is a string. On a network that answers for any name the
// test even passes, and so it does with an IP address.
//
// Fix: write the scheme: passthrough:///bufnet.
//
// Threads: grpc-go#7091, grpc-go#1786.
package bufconndns

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// BrokenDial returns a connection to the server that dial leads to.
func BrokenDial(dial dialer, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	opts = append(opts,
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
	)
	return grpc.NewClient("bufnet", opts...)
}
