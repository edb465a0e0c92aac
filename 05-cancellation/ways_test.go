package cancellation

import (
	"context"
	"errors"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	tickerv1 "example.com/streams/05-cancellation/ticker/v1"
)

var ways = []way{
	{
		name: "the client cancels",
		end:  func(r *stage) { r.cancel(errors.New("the user closed the tab")) },
		seen: seen{"`Canceled`: context canceled", canceled + ", because the user closed the tab", canceled, canceled},
	},
	{
		name:    "the client's deadline passes",
		prepare: func(r *stage) { r.deadline = 1500 * time.Millisecond },
		seen: seen{
			"`DeadlineExceeded`: context deadline exceeded or `DeadlineExceeded`: stream terminated by RST_STREAM with error code: CANCEL",
			expired,
			expired + " or " + canceled + " or " + open, // its upstream may tell it first
			expired + " or " + canceled,
		},
	},
	{
		name:    "the client bears no more silence",
		prepare: func(r *stage) { r.setup.exchange, r.silence = fallsSilent(1), time.Minute },
		seen: seen{"`DeadlineExceeded`: the server sent nothing for 1m0s",
			canceled + ", because `DeadlineExceeded`: the server sent nothing for 1m0s", canceled, canceled},
	},
	{
		name: "the client closes its connection",
		end:  func(r *stage) { require.NoError(r, r.own.Close()) },
		seen: seen{"`Canceled`: grpc: the client connection is closing", open, canceled, canceled},
	},
	{
		name: "the client refuses a message that is too large",
		prepare: func(r *stage) {
			small := grpc.MaxCallRecvMsgSize(100)
			r.clientOptions = []grpc.DialOption{grpc.WithDefaultCallOptions(small)}
			r.setup.exchange = afterATick(func(stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
				_ = stream.Send(bulky().Tick(2))
				<-stream.Context().Done()
				return stream.Context().Err()
			})
		},
		seen: seen{"`ResourceExhausted`: grpc: received message larger than max (4112 vs. 100)", open, canceled, canceled},
	},
	{
		name: "the connection breaks",
		end:  func(r *stage) { r.lan.mustConn(r).drop() },
		seen: seen{"`Unavailable`: error reading from server: EOF", open, canceled, canceled},
	},
	{
		name:    "the connection dies without a word",
		prepare: keepalives,
		end:     func(r *stage) { r.lan.mustConn(r).silence() },
		seen:    seen{"`Unavailable`: keepalive ping failed to receive ACK within timeout", open, canceled, canceled},
	},
	{
		name: "the gateway drains",
		end:  func(r *stage) { r.g.Drain() },
		seen: seen{"`Unavailable`: the gateway is shutting down", open, open, canceled},
	},
	{
		name: "the gateway stops",
		end:  func(r *stage) { r.gatewayServer.Stop() },
		seen: seen{"`Unavailable`: error reading from server: EOF", open, canceled, canceled},
	},
	{
		name: "the gateway waits too long for the client to read",
		prepare: func(r *stage) {
			x := bulky()
			x.SendLimit = time.Hour
			r.setup.exchange, r.pause = x, 10*time.Minute
		},
		seen: seen{"`Aborted`: you read nothing for 1m0s", open, open, canceled},
	},
	{
		name: "the gateway's connection is too old",
		prepare: func(r *stage) {
			r.setup.exchange = fallsSilent(1)
			r.gatewayOptions = []grpc.ServerOption{grpc.KeepaliveParams(keepalive.ServerParameters{
				MaxConnectionAge: time.Minute, MaxConnectionAgeGrace: time.Minute,
			})}
		},
		seen: seen{"`Unavailable`: closing transport due to: connection error: desc = \"error reading from server: EOF\", " +
			"received prior goaway: code: NO_ERROR, debug data: \"max_age\"", open, canceled, canceled},
	},
	{
		name: "the gateway gets too many pings",
		prepare: func(r *stage) {
			r.setup.exchange, r.clientOptions = fallsSilent(1), DialOptions()
		},
		seen: seen{"`Unavailable`: closing transport due to: connection error: desc = \"error reading from server: EOF\", " +
			"received prior goaway: code: ENHANCE_YOUR_CALM, debug data: \"too_many_pings\"", open, canceled, canceled},
	},
	{
		name: "the gateway's connection to the exchange breaks",
		end:  func(r *stage) { r.wan.mustConn(r).drop() },
		seen: seen{"`Unavailable`: error reading from server: EOF", open, open, canceled},
	},
	{
		name: "the exchange drains",
		end:  func(r *stage) { r.x.Drain() },
		seen: seen{"`Unavailable`: the exchange is shutting down", open, open, open},
	},
	{
		name: "the exchange stops",
		end:  func(r *stage) { r.exchangeServer.Stop() },
		seen: seen{"`Unavailable`: error reading from server: EOF", open, open, canceled},
	},
	{
		name:    "the exchange returns a status",
		prepare: returning(status.Error(codes.OutOfRange, "you are too slow")),
		seen:    seen{"`OutOfRange`: you are too slow", open, open, open},
	},
	{
		name:    "the exchange returns a plain error",
		prepare: returning(errors.New("disk full")),
		seen:    seen{"`Unknown`: disk full", open, open, open},
	},
	{
		name:    "the exchange returns the error of a deadline of its own",
		prepare: returning(context.DeadlineExceeded),
		seen:    seen{"`DeadlineExceeded`: context deadline exceeded", open, open, open},
	},
	{
		name:    "the exchange returns nil",
		prepare: returning(nil),
		seen:    seen{"io.EOF", open, open, open},
	},
}

func keepalives(r *stage) {
	r.setup.exchange = fallsSilent(1)
	r.clientOptions, r.gatewayOptions = DialOptions(), ServerOptions()
}

func returning(err error) func(*stage) {
	return func(r *stage) {
		r.setup.exchange = afterATick(func(grpc.ServerStreamingServer[tickerv1.Tick]) error { return err })
	}
}

func afterATick(then func(grpc.ServerStreamingServer[tickerv1.Tick]) error) script {
	return script{watch: func(stream grpc.ServerStreamingServer[tickerv1.Tick]) error {
		time.Sleep(time.Second)
		if err := stream.Send(NewExchange(1).Tick(1)); err != nil {
			return err
		}
		return then(stream)
	}}
}
