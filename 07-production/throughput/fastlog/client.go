package fastlog

import (
	"context"

	"google.golang.org/grpc"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	fastlogv1 "example.com/streams/07-production/throughput/fastlog/v1"
)

// NewClient returns a client of LogService that receives the entries in
// batches, from a server that offers BatchLogService. Its streams return one
// entry at a time, so that [logs.Tail] needs no change. Call Recv on them,
// and not RecvMsg, which would receive a batch. The client may be used
// concurrently.
//
// Unimplemented: the server does not offer BatchLogService.
//
// [logs.Tail]: https://pkg.go.dev/example.com/streams/02-server-stream/logs#Tail
func NewClient(conn grpc.ClientConnInterface) logsv1.LogServiceClient {
	return client{fastlogv1.NewBatchLogServiceClient(conn)}
}

type client struct {
	batches fastlogv1.BatchLogServiceClient
}

func (c client) StreamLogs(
	ctx context.Context, req *logsv1.LogRequest, opts ...grpc.CallOption,
) (grpc.ServerStreamingClient[logsv1.LogEntry], error) {
	stream, err := c.batches.StreamBatches(ctx, req, opts...)
	if err != nil {
		return nil, err
	}
	return &entryStream{ServerStreamingClient: stream}, nil
}

// An entryStream takes batches apart.
type entryStream struct {
	grpc.ServerStreamingClient[fastlogv1.LogBatch]
	received []*logsv1.LogEntry // not yet returned by Recv
}

// Recv returns the next entry or bookmark.
func (s *entryStream) Recv() (*logsv1.LogEntry, error) {
	for len(s.received) == 0 { // an empty batch has no entry
		batch, err := s.ServerStreamingClient.Recv()
		if err != nil {
			return nil, err
		}
		s.received = batch.GetEntries()
	}
	e := s.received[0]
	s.received = s.received[1:]
	return e, nil
}
