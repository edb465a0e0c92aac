package follow

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// line is what the entries say.
var line = "INFO  checkout GET /cart 200 12ms user=4711 session=0a1b2c3d " + strings.Repeat("-", 40)

// A publisher is the side of a server that has the entries. When it starts,
// it has published one entry, which each follower receives first.
type publisher interface {
	publish(text string)
	close()
}

// servers are by name: each returns its publisher, and a gRPC server or an
// HTTP handler.
var servers = map[string]func() (publisher, *grpc.Server, http.Handler){
	"loop":              newLoop,
	"channels":          newChannels,
	"channels-prepared": newPreparedChannels,
	"channels-drop":     newDroppingChannels,
	"log":               newLogServer,
	"fastlog":           newFastLog,
	"poll":              newPoll,
	"connect":           newConnect,
	"sse":               newSSE,
	"websocket-coder":   newCoder,
	"websocket-gorilla": newGorilla,
}

// tlsSuffix ends the name of a server with TLS.
const tlsSuffix = "-tls"

// StartServer starts a server of this package, such as "follow-log" or
// "follow-log-tls", in this process. known is false if there is no server of this name.
func StartServer(name string) (s *harness.Server, known bool, err error) {
	short, isOurs := strings.CutPrefix(name, "follow-")
	short, hasTLS := strings.CutSuffix(short, tlsSuffix)
	start, ok := servers[short]
	if !isOurs || !ok {
		return nil, false, nil
	}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return nil, true, err
	}
	addr := listener.Addr().String()
	var certificate []byte
	if hasTLS {
		// A server of grpc.Creds would do the same with each connection.
		config, _, err := loopback.Certificates()
		if err != nil {
			return nil, true, errors.Join(err, listener.Close())
		}
		certificate = config.Certificates[0].Certificate[0]
		listener = tls.NewListener(listener, config)
	}
	publisher, grpcServer, handler := start()
	publisher.publish(line)
	ctx, cancel := context.WithCancel(context.Background()) // of all requests
	httpServer := &http.Server{Handler: handler, Protocols: new(http.Protocols), BaseContext: func(net.Listener) context.Context { return ctx }}
	httpServer.Protocols.SetHTTP1(true)
	httpServer.Protocols.SetUnencryptedHTTP2(true)
	served := make(chan error, 1)
	go func() {
		if grpcServer != nil {
			served <- grpcServer.Serve(listener)
		} else {
			served <- httpServer.Serve(listener)
		}
	}()
	return &harness.Server{
		Addr: addr,
		Handle: func(request string) (string, error) {
			if request == askCertificate {
				return base64.StdEncoding.EncodeToString(certificate), nil
			}
			return "", handle(ctx, publisher, request)
		},
		Close: func() error {
			cancel()
			publisher.close()
			if grpcServer != nil {
				grpcServer.Stop()
				return <-served
			}
			err := httpServer.Close()
			if s := <-served; !errors.Is(s, http.ErrServerClosed) {
				err = errors.Join(err, s)
			}
			return err
		},
	}, true, nil
}

const askCertificate = "certificate"

// trust returns the configuration of a client that trusts the certificate of
// the server.
func trust(server *harness.Process) (*tls.Config, error) {
	text, err := server.Call(askCertificate)
	if err != nil {
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return loopback.Trust(der)
}

// A request is what a server shall publish.
type request struct {
	Messages int
	Pace     time.Duration // between two messages; 0: all at once
	Random   bool          // the pace is a mean
	Padding  int           // bytes that are added to the text
}

// publish does not wait until the server has published.
func publish(server *harness.Process, r request) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = server.Call(string(text))
	return err
}

// handle does what publish asks for.
func handle(ctx context.Context, p publisher, text string) error {
	var r request
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	go r.run(ctx, p)
	return nil
}

func (r request) run(ctx context.Context, p publisher) {
	text := line + strings.Repeat("-", r.Padding)
	due := time.Now()
	for range r.Messages {
		if r.Random {
			due = due.Add(rand.N(2*r.Pace + 1))
		} else {
			due = due.Add(r.Pace)
		}
		if r.Pace > 0 {
			select {
			case <-time.After(time.Until(due)):
			case <-ctx.Done():
				return
			}
		}
		p.publish(text)
	}
}
