"""The wire: message tables made from the XML, and the codec to model values."""
