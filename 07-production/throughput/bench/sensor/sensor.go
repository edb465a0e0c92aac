// Package sensor compares ways to report many small readings.
package sensor

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
	benchv1 "example.com/streams/07-production/throughput/bench/v1"
)

// Comparisons returns the comparison.
func Comparisons() []harness.Comparison {
	return []harness.Comparison{{
		Name:   "sensor",
		Title:  "Readings of a sensor",
		Op:     "one reading",
		Unit:   "ns/op",
		ShortN: 1000,
		Contenders: []harness.Contender{
			{Name: "unary", Start: unary},
			{Name: "post-json", Start: postEach},
			{Name: "post-ndjson", Start: postLines},
			{Name: "stream-of-1", Start: streamEach},
			{Name: "stream-of-100", Start: streamBatches(100)},
			{Name: "stream-of-500", Start: streamBatches(500)},
		},
	}}
}

func reading(i int) *benchv1.Reading {
	return &benchv1.Reading{SensorId: "temp-0042", UnixNanos: 1700000000000000000 + int64(i), Value: float64(i) * 0.5}
}

func client(r *harness.Run) (benchv1.BenchServiceClient, error) {
	conn, err := loopback.GRPC(r, func(s grpc.ServiceRegistrar) {
		benchv1.RegisterBenchServiceServer(s, server{})
	}, loopback.Options{})
	return benchv1.NewBenchServiceClient(conn), err
}

// unary is a call for each reading.
func unary(r *harness.Run) (harness.Do, error) {
	client, err := client(r)
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		var count int64
		for i := range n {
			receipt, err := client.Record(r.Context, reading(i))
			if err != nil {
				return nil, err
			}
			count += receipt.GetCount()
		}
		return nil, check(count, n)
	}, nil
}

// streamEach sends each reading in a message of its own.
func streamEach(r *harness.Run) (harness.Do, error) {
	client, err := client(r)
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		stream, err := client.RecordEach(r.Context)
		if err != nil {
			return nil, err
		}
		for i := range n {
			if err := stream.Send(reading(i)); err != nil {
				break // CloseAndRecv returns the status
			}
		}
		receipt, err := stream.CloseAndRecv()
		if err != nil {
			return nil, err
		}
		return nil, check(receipt.GetCount(), n)
	}, nil
}

// streamBatches sends this many readings in one message.
func streamBatches(size int) func(*harness.Run) (harness.Do, error) {
	return func(r *harness.Run) (harness.Do, error) {
		client, err := client(r)
		if err != nil {
			return nil, err
		}
		return func(n int) ([]harness.Metric, error) {
			stream, err := client.RecordBatches(r.Context)
			if err != nil {
				return nil, err
			}
			for first := 0; first < n; first += size {
				batch := new(benchv1.ReadingBatch)
				for i := first; i < min(first+size, n); i++ {
					batch.Readings = append(batch.Readings, reading(i))
				}
				if err := stream.Send(batch); err != nil {
					break // CloseAndRecv returns the status
				}
			}
			receipt, err := stream.CloseAndRecv()
			if err != nil {
				return nil, err
			}
			return nil, check(receipt.GetCount(), n)
		}, nil
	}
}

func check(got int64, want int) error {
	if got != int64(want) {
		return fmt.Errorf("readings: must be %d, got %d", want, got)
	}
	return nil
}

// A server counts readings. Its methods may be called concurrently.
type server struct {
	benchv1.UnimplementedBenchServiceServer
}

func (server) Record(context.Context, *benchv1.Reading) (*benchv1.Receipt, error) {
	return &benchv1.Receipt{Count: 1}, nil
}

func (server) RecordEach(stream grpc.ClientStreamingServer[benchv1.Reading, benchv1.Receipt]) error {
	receipt := new(benchv1.Receipt)
	for {
		_, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(receipt)
		}
		if err != nil {
			return err
		}
		receipt.Count++
	}
}

func (server) RecordBatches(stream grpc.ClientStreamingServer[benchv1.ReadingBatch, benchv1.Receipt]) error {
	receipt := new(benchv1.Receipt)
	for {
		batch, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(receipt)
		}
		if err != nil {
			return err
		}
		receipt.Count += int64(len(batch.GetReadings()))
	}
}
