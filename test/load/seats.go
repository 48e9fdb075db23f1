package main

import (
	"context"
	"strings"
)

type seatsRow struct{}

func (b *bench) seats(ctx context.Context) error { return nil }

func seatsTable(t *strings.Builder, rows []seatsRow) {}
