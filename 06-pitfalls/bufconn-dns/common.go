package bufconndns

import (
	"context"
	"net"
)

type dialer = func(context.Context, string) (net.Conn, error)
