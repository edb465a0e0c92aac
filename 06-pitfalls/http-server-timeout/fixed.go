package httpservertimeout

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// FixedServer returns a server of gRPC and of other pages at one port. The
// handler tells them apart, and passes gRPC to a grpc.Server. A client has
// 10 s to send its request, and 10 s after its header to take the response,
// unless it calls gRPC.
func FixedServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:      withoutTimeouts(handler),
		Protocols:    http2(),
		ReadTimeout:  10 * time.Second,
		WriteTimeout: 10 * time.Second,
	}
}

func withoutTimeouts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			c := http.NewResponseController(w)
			err := errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{}))
			if err != nil { // another handler hides the methods of w
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
