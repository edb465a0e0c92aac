// Package bench compares gRPC streams with their peers.
package bench

import (
	_ "connectrpc.com/connect"
	_ "example.com/streams/internal/cli"
	_ "example.com/streams/internal/golden"
	_ "github.com/coder/websocket"
	_ "github.com/gorilla/websocket"
	_ "github.com/stretchr/testify/require"
	_ "golang.org/x/sync/errgroup"
	_ "storj.io/drpc/drpcconn"
	_ "storj.io/drpc/drpcserver"
)
