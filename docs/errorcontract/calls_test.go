package errorcontract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// An outcome is what a call returned: in a few words, and the error.
type outcome struct {
	text string
	err  error
}

// observe ends a new stream and makes one call.
func observe(t *testing.T, s shape, e ending, call string, run int) (o outcome) {
	synctest.Test(t, func(t *testing.T) {
		sc := newScene(t, s, e, run)
		failed := sc.play()
		if call = general(call); call == e.fails && failed != nil {
			o = of(failed)
			return
		}
		done := make(chan outcome, 1)
		go func() { done <- sc.call(call) }()
		synctest.Wait()
		select {
		case o = <-done:
		case <-time.After(time.Minute):
			o = outcome{text: "blocks"}
		}
	})
	return o
}

// general returns the name that a call of a client stream has in the
// other shapes.
func general(call string) string {
	others := map[string]string{"CloseAndRecv": "Recv", "handler SendAndClose": "handler Send"}
	return cmp.Or(others[call], call)
}

func (sc *scene) call(name string) outcome {
	ofHandler, isHandlers := handlerCalls[name]
	switch {
	case name == "open":
		_, err := sc.openStream()
		return of(err)
	case isHandlers && sc.handler != nil:
		return ofHandler(sc.handler)
	case !isHandlers && sc.client != nil:
		return clientCalls[name](sc.client)
	default:
		return outcome{text: none}
	}
}

const none = "—"

var clientCalls = map[string]func(*clientEnd) outcome{
	"Send":      func(c *clientEnd) outcome { return of(c.send(small)) },
	"Recv":      recvToTheEnd,
	"CloseSend": func(c *clientEnd) outcome { return of(c.CloseSend()) },
	"Header": func(c *clientEnd) outcome {
		md, err := c.Header()
		return outcome{keys(md) + ", " + of(err).text, err}
	},
	// Trailer is valid only once Recv has returned an error.
	"Trailer": func(c *clientEnd) outcome {
		recvToTheEnd(c)
		return outcome{text: keys(c.Trailer())}
	},
}

var handlerCalls = map[string]func(*serverEnd) outcome{
	"handler Recv": func(h *serverEnd) outcome { return of(h.recv()) },
	"handler Send": func(h *serverEnd) outcome { return of(h.send(small)) },
	"handler Context": func(h *serverEnd) outcome {
		err := h.Context().Err()
		if cause := context.Cause(h.Context()); fmt.Sprint(cause) != fmt.Sprint(err) {
			return outcome{fmt.Sprintf("%s, cause %v", of(err).text, cause), err}
		}
		return of(err)
	},
}

// recvToTheEnd receives the messages that came before the end, too.
func recvToTheEnd(c *clientEnd) outcome {
	var texts []string
	for {
		err := c.recv()
		if err != nil {
			return outcome{strings.Join(append(texts, of(err).text), ", "), err}
		}
		texts = append(texts, "message")
		if c.one {
			return outcome{text: "message"}
		}
	}
}

// of names an error by its code. A context's error has one, too.
func of(err error) outcome {
	switch {
	case err == nil:
		return outcome{text: "nil"}
	case errors.Is(err, io.EOF):
		return outcome{"io.EOF", err}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return outcome{status.FromContextError(err).Code().String(), err}
	default:
		return outcome{status.Code(err).String(), err}
	}
}

func keys(md metadata.MD) string {
	if len(md) == 0 {
		return "nil"
	}
	return strings.Join(slices.Sorted(maps.Keys(md)), " ")
}

var network = regexp.MustCompile(`(error reading from server|Error while dialing): [^"]*`)

// message returns the message of a status, without what it quotes from
// the network.
func (o outcome) message() string {
	if s, ok := status.FromError(o.err); ok && o.err != nil {
		return network.ReplaceAllString(s.Message(), "$1: …")
	}
	return none
}
