package browser

import (
	"net/http"
	"strings"
	"time"
)

// OnePort returns a handler for a port that gRPC clients and browsers share.
// grpc is a grpc.Server. It gets the HTTP/2 requests whose content type begins
// with application/grpc, and web gets all others.
func OnePort(grpc, web http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			grpc.ServeHTTP(w, r)
			return
		}
		web.ServeHTTP(w, r)
	})
}

// NewServer returns a server with limits for headers and for connections
// without a request. Without TLS, browsers speak HTTP/1.1 to it, and gRPC
// clients HTTP/2. It has no WriteTimeout, because that ends streams of gRPC,
// however busy, and no ReadTimeout, because that ends a handler's Recv.
func NewServer(handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true) // with TLS
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute, // of a connection without a request
		MaxHeaderBytes:    16 << 10,
	}
}
