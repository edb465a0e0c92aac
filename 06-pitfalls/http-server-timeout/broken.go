// Package httpservertimeout shows timeouts of net/http that end streams; see README.md.
package httpservertimeout

import (
	"net/http"
	"time"
)

// BrokenServer returns a server of gRPC and of other pages at one port. The
// handler tells them apart, and passes gRPC to a grpc.Server. A client has
// 10 s to send its request, and 10 s after its header to take the response.
func BrokenServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:      handler,
		Protocols:    http2(),
		ReadTimeout:  10 * time.Second,
		WriteTimeout: 10 * time.Second,
	}
}
