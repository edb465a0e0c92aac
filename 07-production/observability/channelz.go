package observability

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"

	channelzv1 "google.golang.org/grpc/channelz/grpc_channelz_v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Sockets returns the connections of all gRPC servers in one process, without
// those of ServeHTTP. It asks the channelz service of the process, with a call
// for each connection, and others for their list.
//
// Unimplemented: the server does not offer channelz.
func Sockets(ctx context.Context, c channelzv1.ChannelzClient) ([]*channelzv1.Socket, error) {
	var sockets []*channelzv1.Socket
	for next := int64(0); ; {
		page, err := c.GetServers(ctx, &channelzv1.GetServersRequest{StartServerId: next})
		if err != nil {
			return nil, err
		}
		for _, server := range page.GetServer() {
			id := server.GetRef().GetServerId()
			if sockets, err = appendSockets(ctx, c, sockets, id); err != nil {
				return nil, err
			}
			next = id + 1
		}
		if page.GetEnd() || len(page.GetServer()) == 0 {
			return sockets, nil
		}
	}
}

// appendSockets appends the connections of one server.
func appendSockets(
	ctx context.Context, c channelzv1.ChannelzClient, sockets []*channelzv1.Socket, server int64,
) ([]*channelzv1.Socket, error) {
	for next := int64(0); ; {
		page, err := c.GetServerSockets(ctx, &channelzv1.GetServerSocketsRequest{ServerId: server, StartSocketId: next})
		if err != nil {
			return nil, err
		}
		for _, ref := range page.GetSocketRef() {
			next = ref.GetSocketId() + 1
			reply, err := c.GetSocket(ctx, &channelzv1.GetSocketRequest{SocketId: ref.GetSocketId()})
			if status.Code(err) == codes.NotFound {
				continue // it was closed after it had been listed
			}
			if err != nil {
				return nil, err
			}
			sockets = append(sockets, reply.GetSocket())
		}
		if page.GetEnd() || len(page.GetSocketRef()) == 0 {
			return sockets, nil
		}
	}
}

// PrintSockets writes one line for each connection that [Sockets] returns: its
// addresses, its open streams, the messages of all its streams, and when the
// server last sent a message, by the clocks of both processes.
func PrintSockets(ctx context.Context, w io.Writer, c channelzv1.ChannelzClient) error {
	sockets, err := Sockets(ctx, c)
	if err != nil {
		return err
	}
	for _, s := range sockets {
		d := s.GetData()
		last := "never"
		if at := d.GetLastMessageSentTimestamp().AsTime(); at.Unix() > 0 {
			last = time.Since(at).Round(time.Millisecond).String() + " ago"
		}
		_, err := fmt.Fprintf(w, "%s -> %s open=%d sent=%d received=%d last-sent=%s\n",
			address(s.GetRemote()), address(s.GetLocal()), d.GetStreamsStarted()-d.GetStreamsSucceeded()-d.GetStreamsFailed(),
			d.GetMessagesSent(), d.GetMessagesReceived(), last)
		if err != nil {
			return err
		}
	}
	return nil
}

func address(a *channelzv1.Address) string {
	tcp := a.GetTcpipAddress()
	ip, ok := netip.AddrFromSlice(tcp.GetIpAddress())
	if !ok {
		return "not-tcp"
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(tcp.GetPort())).String()
}
