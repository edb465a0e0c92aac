package errortexts

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// behind returns the address of a server that calls handle for each
// connection.
func behind(t *testing.T, handle func(net.Conn)) (addr string) {
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go handle(conn)
		}
	}()
	return listener.Addr().String()
}

// resetConn sends RST instead of FIN.
func resetConn(conn net.Conn) error {
	return errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close())
}

// framing returns the address of a server that answers each request with the
// frames that answer writes.
func framing(t *testing.T, answer func(f *http2.Framer, stream uint32, conn net.Conn)) (addr string) {
	return behind(t, func(conn net.Conn) {
		answerFrames(conn, func(f *http2.Framer, stream uint32) { answer(f, stream, conn) })
	})
}

// answerFrames calls answer for each stream that the client has half-closed,
// until the connection ends.
func answerFrames(conn net.Conn, answer func(f *http2.Framer, stream uint32)) {
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	_ = framer.WriteSettings() // if it fails, so does ReadFrame
	_ = framer.WriteSettingsAck()
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		if data, ok := frame.(*http2.DataFrame); ok && data.StreamEnded() {
			answer(framer, data.StreamID)
		}
	}
}

// httpServer is a web server without HTTP/2.
func httpServer(t *testing.T) *httptest.Server {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// tlsServer is [httpServer] with TLS and a certificate for example.com that
// no system trusts. Without protocols, it ignores those that a client offers.
func tlsServer(t *testing.T, protocols ...string) *httptest.Server {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{NextProtos: append([]string{}, protocols...)}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// countTLS calls the server as name, and trusts its certificate.
func countTLS(t *testing.T, server *httptest.Server, name string) string {
	return countTCP(t, server.Listener.Addr().String(), trusting(server, name))
}

func trusting(server *httptest.Server, name string) grpc.DialOption {
	trusted := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: trusted, ServerName: name}))
}

// What a DNS server answers.
const (
	serverFailure = 2
	noSuchName    = 3
)

// dnsServer returns the address of a DNS server that gives every question
// the same answer.
func dnsServer(t *testing.T, rcode byte) (addr string) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	go func() {
		buf := make([]byte, 1<<10)
		for {
			n, from, err := conn.ReadFrom(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			buf[2] |= 1 << 7 // this is a response
			buf[3] = buf[3]&0xf0 | rcode
			_, _ = conn.WriteTo(buf[:n], from) // the client asks again
		}
	}()
	return conn.LocalAddr().String()
}

// h2c returns the address of a server that speaks HTTP/2 without TLS.
func h2c(t *testing.T, handler http.Handler, writeTimeout time.Duration) (addr string) {
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Config.WriteTimeout = writeTimeout
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// proxy returns the address of a proxy of the server at addr.
func proxy(t *testing.T, addr string, writeTimeout time.Duration) string {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	reverse := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	reverse.Transport = transport
	reverse.ErrorLog = log.New(io.Discard, "", 0)
	return h2c(t, reverse, writeTimeout)
}

func writeHeaders(f *http2.Framer, stream uint32, end bool, fields ...string) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = f.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end,
	})
}
