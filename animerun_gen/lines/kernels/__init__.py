"""The compiled loops behind :mod:`animerun_gen.lines.contours` and :mod:`animerun_gen.lines.feature_edges`.

Everything about contours is reckoned in *nearness*: the inverse of the distance along the view axis under perspective,
the negative distance under an orthographic camera.  A plane's nearness is a linear function of the pixel under either,
so planes are extrapolated without any singularity.  Slopes and steps of nearness are divided by what one pixel spans
there, so that nothing depends on the scale of the scene: a slope of 1 is a surface turned 45 degrees away, a step of 1
is as deep as a pixel is wide.
"""
