package follow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

func newCoder() (publisher, *grpc.Server, http.Handler) {
	h := newHub(func(i *item) { i.text = toJSON(i) })
	return h, nil, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, err := coder.Accept(w, req, nil)
		if err != nil {
			return // Accept has answered
		}
		defer func() { _ = conn.CloseNow() }()
		ctx := conn.CloseRead(req.Context())
		items, leave := h.follow()
		defer leave()
		for {
			select {
			case i := <-items:
				if err := conn.Write(ctx, coder.MessageText, i.text); err != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
}

// newGorilla frames each message once for all followers.
func newGorilla() (publisher, *grpc.Server, http.Handler) {
	h := newHub(func(i *item) {
		if prepared, err := gorilla.NewPreparedMessage(gorilla.TextMessage, toJSON(i)); err == nil {
			i.other = prepared
		}
	})
	upgrader := &gorilla.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	return h, nil, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, err := upgrader.Upgrade(w, req, nil)
		if err != nil {
			return // Upgrade has answered
		}
		defer conn.Close()
		left := make(chan struct{})
		go func() { // reads pings and the close
			defer close(left)
			for {
				if _, _, err := conn.NextReader(); err != nil {
					return
				}
			}
		}()
		items, leave := h.follow()
		defer leave()
		for {
			select {
			case i := <-items:
				if err := conn.WritePreparedMessage(i.other.(*gorilla.PreparedMessage)); err != nil {
					return
				}
			case <-left:
				return
			}
		}
	})
}

// coderFollowers use the library of the server.
func coderFollowers(ctx context.Context, group *errgroup.Group, n network, followers []*follower) {
	client := &http.Client{Transport: &http.Transport{DialContext: n.dialTCP}}
	for _, f := range followers {
		n.call()
		group.Go(func() error {
			conn, _, err := coder.Dial(ctx, "ws://"+n.addr, &coder.DialOptions{HTTPClient: client})
			if err != nil {
				return ended(ctx, err)
			}
			defer func() { _ = conn.CloseNow() }()
			for {
				_, text, err := conn.Read(ctx)
				if err == nil {
					err = f.seenJSON(text)
				}
				if err != nil {
					return ended(ctx, err)
				}
			}
		})
	}
}

// gorillaFollowers use the library of the server.
func gorillaFollowers(ctx context.Context, group *errgroup.Group, n network, followers []*follower) {
	dialer := &gorilla.Dialer{NetDialContext: n.dialTCP}
	for _, f := range followers {
		n.call()
		group.Go(func() error {
			conn, _, err := dialer.DialContext(ctx, "ws://"+n.addr, nil)
			if err != nil {
				return ended(ctx, err)
			}
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			for {
				_, text, err := conn.ReadMessage()
				if err == nil {
					err = f.seenJSON(text)
				}
				if err != nil {
					return ended(ctx, err)
				}
			}
		})
	}
}

// seenJSON reads the sequence, and decodes the rest only if the follower needs
// it.
func (f *follower) seenJSON(text []byte) error {
	if f.arrived != nil {
		var e jsonEntry
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		f.arrived(e.Timestamp)
		return f.seen(e.Sequence)
	}
	rest, ok := bytes.CutPrefix(text, []byte(`{"sequence":`))
	digits, _, found := bytes.Cut(rest, []byte(","))
	if !ok || !found {
		return fmt.Errorf("message: must begin with a sequence, got %.40q", text)
	}
	sequence, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return err
	}
	return f.seen(sequence)
}
