// Package proxies shows what a proxy between client and server does to a
// stream, and how the stream survives it.
package proxies

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// A Proxy is a layer-7 proxy for gRPC without TLS. It answers the HTTP/2
// connection of each client itself, PINGs included, and forwards the streams
// on other connections, to the server. A clock that is zero is off. Set
// the fields before [Proxy.Serve].
type Proxy struct {
	Upstream string // the address of the server, host:port

	Stream time.Duration // how long a stream may last
	Idle   time.Duration // how long the server may send nothing on a stream
	Age    time.Duration // how long a client's connection may last

	// Dial connects to the server. Nil is TCP.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
}

// Serve accepts connections on the listener until ctx is done, and then
// closes all of them.
func (p *Proxy) Serve(ctx context.Context, l net.Listener) error {
	h2c := new(http.Protocols) // HTTP/2 without TLS
	h2c.SetUnencryptedHTTP2(true)
	reverse := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", p.Upstream
		},
		Transport: &http.Transport{
			Protocols: h2c,
			DialContext: func(dialCtx context.Context, _, addr string) (net.Conn, error) {
				return p.dial(dialCtx, ctx, addr)
			},
		},
		ErrorHandler: answerHTML,
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	server := &http.Server{
		Protocols: h2c,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p.forward(reverse, w, r)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if p.Age > 0 {
				time.AfterFunc(p.Age, func() { _ = c.Close() })
			}
			return ctx
		},
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

// dial connects to the server. The connection is closed when ctx is done.
func (p *Proxy) dial(dialCtx, ctx context.Context, addr string) (c net.Conn, err error) {
	if p.Dial != nil {
		c, err = p.Dial(dialCtx, addr)
	} else {
		c, err = new(net.Dialer).DialContext(dialCtx, "tcp", addr)
	}
	if err == nil {
		context.AfterFunc(ctx, func() { _ = c.Close() })
	}
	return c, err
}

var errClock = errors.New("a clock of the proxy has run out")

// forward passes a stream on until it ends or one of its two clocks runs out.
func (p *Proxy) forward(to http.Handler, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	end := func() { cancel(errClock) }
	if p.Stream > 0 {
		defer time.AfterFunc(p.Stream, end).Stop()
	}
	if p.Idle > 0 {
		timer := time.AfterFunc(p.Idle, end)
		defer timer.Stop()
		w = &watched{w, func() { timer.Reset(p.Idle) }}
	}
	to.ServeHTTP(w, r.WithContext(ctx))
}

// answerHTML answers a request whose server has not answered.
func answerHTML(w http.ResponseWriter, r *http.Request, _ error) {
	code := http.StatusBadGateway
	if errors.Is(context.Cause(r.Context()), errClock) {
		code = http.StatusGatewayTimeout
	}
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, "<h1>%d %s</h1>", code, http.StatusText(code))
}

// watched reports each write of the body.
type watched struct {
	http.ResponseWriter
	wrote func()
}

func (w *watched) Write(p []byte) (int, error) { w.wrote(); return w.ResponseWriter.Write(p) }

// Unwrap lets [http.ResponseController] find Flush.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
