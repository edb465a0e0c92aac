// Package unimplemented has a server that the compiler refuses.
package unimplemented

import (
	"context"

	"google.golang.org/grpc"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

type server struct{} // must embed pitfallsv1.UnimplementedPitfallServiceServer

func (server) Ping(context.Context, *pitfallsv1.PingRequest) (*pitfallsv1.PingResponse, error) {
	return nil, nil
}

func (server) Count(*pitfallsv1.CountRequest, grpc.ServerStreamingServer[pitfallsv1.Number]) error {
	return nil
}

func (server) Sum(grpc.ClientStreamingServer[pitfallsv1.Number, pitfallsv1.SumResponse]) error {
	return nil
}

func (server) Echo(grpc.BidiStreamingServer[pitfallsv1.Number, pitfallsv1.Number]) error {
	return nil
}

func register(s *grpc.Server) { pitfallsv1.RegisterPitfallServiceServer(s, server{}) }
