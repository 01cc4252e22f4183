"""The pure model: values in, values out, standard library only."""
