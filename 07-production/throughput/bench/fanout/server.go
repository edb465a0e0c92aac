package fanout

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/07-production/throughput/bench/harness"
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
	"connect":           newConnect,
	"sse":               newSSE,
	"websocket-coder":   newCoder,
	"websocket-gorilla": newGorilla,
}

// StartServer starts a server of this package, such as "fanout-log", in this
// process. known is false if there is no server of this name.
func StartServer(name string) (s *harness.Server, known bool, err error) {
	short, isOurs := strings.CutPrefix(name, "fanout-")
	start, ok := servers[short]
	if !isOurs || !ok {
		return nil, false, nil
	}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return nil, true, err
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
		Addr:   listener.Addr().String(),
		Handle: func(request string) (string, error) { return "", handle(ctx, publisher, request) },
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

// publish lets the server publish messages, one after each pace, or at once
// if pace is 0, with as many more bytes of text as padding. It does not wait.
func publish(server *harness.Process, messages int, pace time.Duration, padding int) error {
	_, err := server.Call(fmt.Sprintf("%d %d %d", messages, pace, padding))
	return err
}

// handle does what publish asks for.
func handle(ctx context.Context, p publisher, request string) error {
	var messages, padding int
	var pace time.Duration
	if _, err := fmt.Sscanf(request, "%d %d %d", &messages, &pace, &padding); err != nil {
		return fmt.Errorf("request: must be three numbers, got %q", request)
	}
	text := line + strings.Repeat("-", padding)
	go func() {
		if pace == 0 {
			for range messages {
				p.publish(text)
			}
			return
		}
		ticker := time.NewTicker(pace)
		defer ticker.Stop()
		for range messages {
			select {
			case <-ticker.C:
				p.publish(text)
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}
