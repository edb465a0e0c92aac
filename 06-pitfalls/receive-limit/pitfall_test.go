package receivelimit

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

// overhead is the number of bytes before Padding in a message: 1 for the tag
// and 4 for the length.
const overhead = 5

func TestBroken_UploadOfOneByteTooManyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := pitfalltest.Dial(t, store())
		got, err := BrokenUpload(t.Context(), client, make([]byte, 4<<20-overhead))
		require.NoError(t, err)
		require.Equal(t, int64(4<<20-overhead), got)

		_, err = BrokenUpload(t.Context(), client, make([]byte, 4<<20-overhead+1))

		require.EqualError(t, err, "rpc error: code = ResourceExhausted desc = "+
			"grpc: received message larger than max (4194305 vs. 4194304)")
	})
}

func TestFixed_UploadArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := FixedUpload(t.Context(), pitfalltest.Dial(t, store()), make([]byte, 5<<20))
		require.NoError(t, err)
		require.Equal(t, int64(5<<20), got)
	})
}

func TestSend_DoesNotKnowTheLimitOfTheReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := pitfalltest.Dial(t, store()).Sum(t.Context())
		require.NoError(t, err)
		require.NoError(t, stream.Send(&pitfallsv1.Number{Padding: make([]byte, 5<<20)}))

		_, err = stream.CloseAndRecv()

		require.Equal(t, codes.ResourceExhausted, status.Code(err), "got %v", err)
	})
}

func TestClient_HasTheSameLimit(t *testing.T) {
	for _, tt := range []struct {
		size int
		opts []grpc.CallOption
		code codes.Code
	}{
		{4 << 20, nil, codes.OK},
		{4<<20 + 1, nil, codes.ResourceExhausted},
		{4<<20 + 1, []grpc.CallOption{grpc.MaxCallSendMsgSize(8 << 20)}, codes.ResourceExhausted},
		{4<<20 + 1, []grpc.CallOption{grpc.MaxCallRecvMsgSize(8 << 20)}, codes.OK},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := pitfalltest.Dial(t, &service.Server{OnCount: func(
				_ *pitfallsv1.CountRequest, stream grpc.ServerStreamingServer[pitfallsv1.Number],
			) error {
				return stream.Send(&pitfallsv1.Number{Padding: make([]byte, tt.size-overhead)})
			}})
			stream, err := client.Count(t.Context(), &pitfallsv1.CountRequest{}, tt.opts...)
			require.NoError(t, err)
			_, err = service.Values(stream)
			require.Equal(t, tt.code.String(), status.Code(err).String(), "for %d bytes: got %v", tt.size, err)
		})
	}
}

// Send waits for flow control, and not for what the receiver makes of the
// message.
func TestSend_WaitsForFlowControlAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := pitfalltest.Dial(t, pitfalltest.Idle()).Sum(ctx)
		require.NoError(t, err)
		number := &pitfallsv1.Number{Padding: make([]byte, 1<<20)}
		require.NoError(t, stream.Send(number))
		second := pitfalltest.Go(func() error { return stream.Send(number) })
		second.StillRuns(t, time.Hour)
		cancel()
		require.ErrorIs(t, second.Err(), io.EOF)
	})
}

func TestLimit_IsRaisedByTheReceiverOnly(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server []grpc.ServerOption
		client []grpc.DialOption
		code   codes.Code
	}{
		{"the server may receive more", []grpc.ServerOption{grpc.MaxRecvMsgSize(8 << 20)}, nil, codes.OK},
		{"the server may send more", []grpc.ServerOption{grpc.MaxSendMsgSize(8 << 20)}, nil, codes.ResourceExhausted},
		{"the client may send and receive more", nil, []grpc.DialOption{grpc.WithDefaultCallOptions(
			grpc.MaxCallSendMsgSize(8<<20), grpc.MaxCallRecvMsgSize(8<<20))}, codes.ResourceExhausted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := pitfalltest.Serve(t, store(), tt.server...).Dial(t, tt.client...)
				client := pitfallsv1.NewPitfallServiceClient(conn)
				_, err := BrokenUpload(t.Context(), client, make([]byte, 5<<20))
				require.Equal(t, tt.code, status.Code(err), "got %v", err)
			})
		})
	}
}

func TestSend_LimitsAMessageToAlmost2GiB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := pitfalltest.Dial(t, store()).Sum(t.Context(), grpc.ForceCodecV2(twoGiB{}))
		require.NoError(t, err)
		require.EqualError(t, stream.Send(&pitfallsv1.Number{}), "rpc error: code = ResourceExhausted desc = "+
			"trying to send message larger than max (2147483648 vs. 2147483647)")
	})
}

// twoGiB encodes each message in 2 GiB, which are 2048 times the same MiB.
type twoGiB struct{}

func (twoGiB) Marshal(any) (mem.BufferSlice, error) {
	return slices.Repeat(mem.BufferSlice{mem.SliceBuffer(make([]byte, 1<<20))}, 2048), nil
}

func (twoGiB) Unmarshal(mem.BufferSlice, any) error { return nil }

func (twoGiB) Name() string { return "two-gib" }

// grpc-go encodes a message of more than 1 KiB in a buffer of 4, 16 or 32 KiB,
// or of at least 1 MiB, and clears the whole buffer when it uses it again.
func TestChunk_IsEncodedIn32KiB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		largest := 0
		client := pitfalltest.Dial(t, &service.Server{OnSum: func(
			stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse],
		) error {
			for {
				n, err := stream.Recv()
				if err != nil {
					return stream.SendAndClose(&pitfallsv1.SumResponse{})
				}
				largest = max(largest, proto.Size(n))
			}
		}})
		_, err := FixedUpload(t.Context(), client, make([]byte, 1<<20))
		require.NoError(t, err)

		for size, want := range map[int]int{largest: 32 << 10, 32 << 10: 32 << 10, 32<<10 + 1: 1 << 20} {
			buffer := mem.DefaultBufferPool().Get(size)
			require.Equal(t, want, cap(*buffer), "for %d bytes", size)
			mem.DefaultBufferPool().Put(buffer)
		}
	})
}

// store returns a service whose Sum returns the number of bytes of padding.
func store() *service.Server {
	return &service.Server{OnSum: func(
		stream grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse],
	) error {
		response := &pitfallsv1.SumResponse{}
		for {
			n, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return stream.SendAndClose(response)
			}
			if err != nil {
				return err
			}
			response.Sum += int64(len(n.GetPadding()))
		}
	}}
}
